#include "runtime/connector/message/envelope.h"

#include "runtime/codec/json/writer.h"

namespace mut::connector {
namespace {

// Whether it is one value as far as brackets and texts go; what else is wrong is found when it is decoded.
bool stands_alone(std::string_view payload) {
  enum class At : uint8_t { Begin, Word, Inside, Text, End } at = At::Begin;
  int depth = 0;
  for (size_t i = 0; i < payload.size(); ++i) {
    char c = payload[i];
    bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (at == At::Text) {
      if (c == '\n' || c == '\r') return false;
      if (c == '\\') ++i;
      if (c == '"') at = depth == 0 ? At::End : At::Inside;
    } else if (space) {
      if (at == At::Word) at = At::End;
    } else if (at == At::End) {
      return false;
    } else if (c == '"') {
      if (at == At::Word) return false;
      at = At::Text;
    } else if (c == '{' || c == '[') {
      if (at == At::Word) return false;
      at = At::Inside;
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth < 0) return false;
      if (depth == 0) at = At::End;
    } else if (depth == 0) {
      if (c == ',' || c == ':') return false;
      at = At::Word;
    }
  }
  return depth == 0 && at != At::Text && at != At::Begin;
}

// In a record line ends would end it.
std::string on_one_line(std::string_view payload) {
  std::string out(payload);
  for (char& c : out) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return out;
}

}  // namespace

void end_envelope(std::string_view payload, std::string& to) {
  to += payload.empty() ? "null" : "";
  if (!payload.empty() && !stands_alone(payload)) {
    // A text without an end, which nothing in it can close.
    text::Buffer text;
    json::append_string(payload, text);
    to += text.view().substr(0, text.size() - 1);
    return;
  }
  to += on_one_line(payload);
  to += '}';
}

std::string in_envelope(std::string_view field, std::string_view from, std::string_view payload) {
  text::Buffer begin;
  begin.append("{\"" + std::string(field) + "\":");
  json::append_string(from, begin);
  begin.append(",\"value\":");
  std::string out(begin.view());
  end_envelope(payload, out);
  return out;
}

}  // namespace mut::connector
