// Of a build without HTTP.
#include "mutstream/status.h"

namespace mut {

class StatusServer::State {
 public:
  std::string address;
};

StatusServer::StatusServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
StatusServer::~StatusServer() = default;

Outcome<std::unique_ptr<StatusServer>> StatusServer::listen(const std::string& address, const StatusAccess&) {
  return Failure{Failure::Kind::Usage,
                 address + ": this program was built without HTTP (the option MUT_HTTP of its build)"};
}

void StatusServer::serve(const Engine&) {}
const std::string& StatusServer::address() const { return state_->address; }

}  // namespace mut
