// Of a build without HTTP.
#include "compiler/session/http/connect.h"

namespace mut::session {
namespace {

Error there_is_none() {
  return Error{"this program was built without HTTP (the option MUT_HTTP of its build)"};
}

class NoSink final : public connector::SinkWriter {
 public:
  Status hold() override { return there_is_none(); }
  Status write(std::string_view) override { return there_is_none(); }
  Status flush() override { return there_is_none(); }
  Status close() override { return Unit{}; }
};

}  // namespace

Result<std::unique_ptr<connector::SourceReader>> open_http_reader(const Surroundings&, HttpReading,
                                                                  abi::TypeDescRef) {
  return there_is_none();
}

std::shared_ptr<connector::SinkWriter> make_http_writer(const Surroundings&, HttpWriting) {
  return std::make_shared<NoSink>();
}

}  // namespace mut::session
