#include "runtime/http/token.h"

#include <algorithm>

namespace mut::http {
namespace {

constexpr std::string_view scheme = "bearer ";

// What stands behind the scheme, whatever its case; empty: there is none.
std::string_view shown_token(const Request& request) {
  const std::string* field = request.find("Authorization");
  if (field == nullptr || field->size() < scheme.size()) return "";
  bool bears = std::equal(scheme.begin(), scheme.end(), field->begin(), [](char small, char c) {
    return small == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  });
  if (!bears) return "";
  std::string_view out = std::string_view(*field).substr(scheme.size());
  while (out.starts_with(' ')) out.remove_prefix(1);
  while (out.ends_with(' ')) out.remove_suffix(1);
  return out;
}

// Looks at all of what was shown, whatever the first difference is.
bool same(std::string_view shown, std::string_view token) {
  volatile unsigned char differs = shown.size() == token.size() ? 0 : 1;
  for (size_t i = 0; i < shown.size(); ++i) {
    int difference = shown[i] ^ token[i % token.size()];
    differs = static_cast<unsigned char>(differs | difference);
  }
  return differs == 0;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Field bearer(const std::string& token) { return {"Authorization", "Bearer " + token}; }

std::optional<Response> refuse_unknown(const Request& request, std::string_view token) {
  if (!token.empty() && same(shown_token(request), token)) return std::nullopt;
  Response out =
      refusal(401, "a token is wanted: `Authorization: Bearer …`, with the one that is known here");
  out.fields.push_back({"WWW-Authenticate", "Bearer realm=\"mutstream\""});
  return out;
}

}  // namespace mut::http
