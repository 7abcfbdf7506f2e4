// Tokens of HTTP, read where a script says they are.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "runtime/connector/secret.h"
#include "runtime/http/message.h"

namespace mut::connector {

// The field of a request that shows the token, as it is now. Fails where there is none, or none that can be
// shown.
Result<http::Field> read_bearer(env::Env& env, const Secret& token);

// Lets those in who show a token. One that is renewed holds from the next request on; one that cannot be read
// any more leaves the one before, which is told at each request. Threads: one at a time.
class TokenGate {
 public:
  using Told = std::function<void(const Error&)>;
  // Without a token everybody is let in.
  TokenGate(env::Env& env, std::optional<Secret> token, Told told)
      : env_(env), token_(std::move(token)), told_(std::move(told)) {}
  Status open();
  // The answer to who is not let in.
  std::optional<http::Response> refuse(const http::Request& request);

 private:
  env::Env& env_;
  std::optional<Secret> token_;
  Told told_;
  std::string known_;
};

}  // namespace mut::connector
