#include "runtime/codec/json/validate.h"

#include <cstring>

#include "runtime/codec/decoder.h"
#include "runtime/codec/json/escape.h"
#include "runtime/codec/utf8_window.h"

namespace mut::json {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

const char* take_digits(const char* at, const char* end) {
  const char* begin = at;
  while (at != end && is_digit(*at)) ++at;
  return at == begin ? nullptr : at;
}

const char* take_word(const char* at, const char* end, std::string_view word) {
  if (static_cast<size_t>(end - at) < word.size() || memcmp(at, word.data(), word.size()) != 0)
    return nullptr;
  return at + word.size();
}

const char* validate_array(const char* at, const char* end, int depth) {
  at = skip_space(at, end);
  if (at != end && *at == ']') return at + 1;
  for (;;) {
    at = validate_value(skip_space(at, end), end, depth);
    if (!at) return nullptr;
    at = skip_space(at, end);
    if (at == end) return nullptr;
    if (*at == ']') return at + 1;
    if (*at++ != ',') return nullptr;
  }
}

const char* validate_object(const char* at, const char* end, int depth) {
  at = skip_space(at, end);
  if (at != end && *at == '}') return at + 1;
  for (;;) {
    at = skip_space(at, end);
    if (at == end || *at != '"') return nullptr;
    at = validate_string(at + 1, end);
    if (!at) return nullptr;
    at = skip_space(at, end);
    if (at == end || *at++ != ':') return nullptr;
    at = validate_value(skip_space(at, end), end, depth);
    if (!at) return nullptr;
    at = skip_space(at, end);
    if (at == end) return nullptr;
    if (*at == '}') return at + 1;
    if (*at++ != ',') return nullptr;
  }
}

}  // namespace

const char* skip_space(const char* at, const char* end) {
  while (at != end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
  return at;
}

const char* validate_number(const char* at, const char* end) {
  if (at != end && *at == '-') ++at;
  if (at == end) return nullptr;
  if (*at == '0') {
    ++at;
  } else if (!(at = take_digits(at, end))) {
    return nullptr;
  }
  if (at != end && *at == '.' && !(at = take_digits(at + 1, end))) return nullptr;
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!(at = take_digits(at, end))) return nullptr;
  }
  return at;
}

const char* validate_string(const char* at, const char* end) {
  for (; at != end; ++at) {
    unsigned char c = static_cast<unsigned char>(*at);
    if (c == '"') return at + 1;
    if (c < 0x20) return nullptr;
    if (c != '\\') continue;
    char decoded[4];
    Escape escape = read_escape(at, end, decoded);
    if (escape.used == 0) return nullptr;
    at += escape.used - 1;
  }
  return nullptr;
}

const char* validate_value(const char* at, const char* end, int depth) {
  if (at == end || depth >= codec::json_depth_max) return nullptr;
  switch (*at) {
    case '{':
      return validate_object(at + 1, end, depth + 1);
    case '[':
      return validate_array(at + 1, end, depth + 1);
    case '"':
      return validate_string(at + 1, end);
    case 't':
      return take_word(at, end, "true");
    case 'f':
      return take_word(at, end, "false");
    case 'n':
      return take_word(at, end, "null");
    default:
      return validate_number(at, end);
  }
}

bool is_json(std::string_view text) {
  const char* end = text.data() + text.size();
  const char* at = validate_value(skip_space(text.data(), end), end, 0);
  return at && skip_space(at, end) == end && codec::is_utf8(text);
}

}  // namespace mut::json
