#include "runtime/connector/http/token.h"

#include <utility>

#include "runtime/http/token.h"

namespace mut::connector {
namespace {

Result<std::string> read_token(env::Env& env, const Secret& token) {
  auto text = token.read(env);
  if (!text || http::is_token(text.value())) return text;
  return Error{"a token has visible characters of ASCII, in one line"}.within(token.text());
}

}  // namespace

Result<http::Field> read_bearer(env::Env& env, const Secret& token) {
  auto text = read_token(env, token);
  if (!text) return text.error();
  return http::bearer(text.value());
}

Status TokenGate::open() {
  if (!token_) return Unit{};
  auto text = read_token(env_, *token_);
  if (!text) return text.error();
  known_ = std::move(text).value();
  return Unit{};
}

std::optional<http::Response> TokenGate::refuse(const http::Request& request) {
  if (!token_) return std::nullopt;
  Status read = open();
  if (!read) told_(read.error().within("the token that was there before goes on to be taken"));
  return http::refuse_unknown(request, known_);
}

}  // namespace mut::connector
