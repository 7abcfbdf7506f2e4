#include "runtime/codec/json/field_text.h"

#include "runtime/codec/json/escape.h"

namespace mut::json {
namespace {

// Behind the string that begins at `at`.
size_t behind_string(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

size_t behind_value(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '"') {
      at = behind_string(text, at);
      continue;
    }
    if ((c == ',' || c == '}' || c == ']') && depth == 0) return at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return at;
}

}  // namespace

std::optional<std::string_view> field_text(std::string_view object, std::string_view name) {
  size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    size_t colon = behind_string(object, at);
    size_t begin = colon + 1;
    size_t end = begin < object.size() ? behind_value(object, begin) : object.size();
    if (end > object.size() || colon >= object.size()) return std::nullopt;
    std::string key;
    bool found = unescape(object.substr(at + 1, colon - at - 2), key) && key == name;
    if (found) return object.substr(begin, end - begin);
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> key_text(std::string_view value) {
  if (value.empty() || value == "null") return std::nullopt;
  if (value.front() != '"' || value.size() < 2) return std::string(value);
  std::string out;
  if (!unescape(value.substr(1, value.size() - 2), out)) return std::nullopt;
  return out;
}

}  // namespace mut::json
