// Of a build without TLS.
#include "runtime/tls/connect.h"
#include "runtime/tls/listen.h"

namespace mut::tls {
namespace {

Error there_is_none() {
  return Error{"this program was built without encryption: build it with libssl-dev and the option MUT_TLS"};
}

}  // namespace

Result<std::unique_ptr<env::Socket>> encrypt(env::Env&, std::unique_ptr<env::Socket>, const std::string&,
                                             const Files&, int64_t, const std::atomic<bool>&) {
  return there_is_none();
}

Result<std::unique_ptr<env::SocketListener>> encrypt(env::Env&, std::unique_ptr<env::SocketListener>,
                                                     Listening) {
  return there_is_none();
}

}  // namespace mut::tls
