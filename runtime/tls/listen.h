// TLS 1.2 and 1.3 of the side that listens.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/env/env.h"
#include "runtime/tls/files.h"

namespace mut::tls {

struct Listening {
  Files files;
  int64_t agree_ns = 10'000'000'000;  // how long both sides have to agree
  // Called with what became of a connection that was not taken, and where renewed files cannot be used, by
  // who waits for the listener.
  std::function<void(const Error&)> refused;
};

// Gives connections once both sides have agreed: who is silent, wrong or slow before that is nobody. Fails
// where the files cannot be used; those that are renewed and cannot be leave the ones before in use.
Result<std::unique_ptr<env::SocketListener>> encrypt(env::Env& env,
                                                     std::unique_ptr<env::SocketListener> below,
                                                     Listening listening);

}  // namespace mut::tls
