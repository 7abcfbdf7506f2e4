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

std::optional<Member> next_member(std::string_view object, size_t& at) {
  if (at >= object.size() || object[at] != '"') return std::nullopt;
  size_t colon = behind_string(object, at);
  if (colon >= object.size()) return std::nullopt;
  size_t end = behind_value(object, colon + 1);
  if (end > object.size()) return std::nullopt;
  Member out{"", object.substr(colon + 1, end - colon - 1), at, end};
  if (!unescape(object.substr(at + 1, colon - at - 2), out.name)) return std::nullopt;
  at = end + 1;
  return out;
}

std::optional<std::string_view> field_text(std::string_view object, std::string_view name) {
  size_t at = 1;
  while (auto member = next_member(object, at)) {
    if (member->name == name) return member->value;
  }
  return std::nullopt;
}

std::string without_field(std::string_view object, std::string_view name) {
  size_t at = 1;
  while (auto member = next_member(object, at)) {
    if (member->name != name) continue;
    // With the comma behind it, else that before it.
    bool more = member->end < object.size() && object[member->end] == ',';
    size_t begin = more || member->begin == 1 ? member->begin : member->begin - 1;
    std::string out(object.substr(0, begin));
    return out.append(object.substr(more ? member->end + 1 : member->end));
  }
  return std::string(object);
}

std::optional<std::string> key_text(std::string_view value) {
  if (value.empty() || value == "null") return std::nullopt;
  if (value.front() != '"' || value.size() < 2) return std::string(value);
  std::string out;
  if (!unescape(value.substr(1, value.size() - 2), out)) return std::nullopt;
  return out;
}

}  // namespace mut::json
