// One escape sequence of a JSON string.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mut::json {

struct Escape {
  uint32_t used = 0;     // bytes of text, with the backslash; 0: not an escape, or a lone surrogate
  uint32_t written = 0;  // bytes of UTF-8
};

inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits, -1 if they are not there.
inline int32_t read_hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    int digit = hex_value(at[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

inline uint32_t write_utf8(uint32_t code, char* to) {
  auto byte = [](uint32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return to[0] = byte(code), 1;
  if (code < 0x800) return to[0] = byte(0xc0 | code >> 6), to[1] = byte(0x80 | (code & 63)), 2;
  if (code < 0x10000) {
    to[0] = byte(0xe0 | code >> 12), to[1] = byte(0x80 | (code >> 6 & 63)), to[2] = byte(0x80 | (code & 63));
    return 3;
  }
  to[0] = byte(0xf0 | code >> 18), to[1] = byte(0x80 | (code >> 12 & 63));
  to[2] = byte(0x80 | (code >> 6 & 63)), to[3] = byte(0x80 | (code & 63));
  return 4;
}

// `at` is at the backslash; writes up to 4 bytes to `to`.
inline Escape read_escape(const char* at, const char* end, char* to) {
  if (end - at < 2) return {};
  switch (at[1]) {
    case '"':
    case '\\':
    case '/':
      return to[0] = at[1], Escape{2, 1};
    case 'b':
      return to[0] = '\b', Escape{2, 1};
    case 'f':
      return to[0] = '\f', Escape{2, 1};
    case 'n':
      return to[0] = '\n', Escape{2, 1};
    case 'r':
      return to[0] = '\r', Escape{2, 1};
    case 't':
      return to[0] = '\t', Escape{2, 1};
    case 'u':
      break;
    default:
      return {};
  }
  int32_t high = read_hex4(at + 2, end);
  if (high < 0 || (high >= 0xdc00 && high < 0xe000)) return {};
  if (high < 0xd800 || high >= 0xe000) return {6, write_utf8(static_cast<uint32_t>(high), to)};
  if (end - at < 12 || at[6] != '\\' || at[7] != 'u') return {};
  int32_t low = read_hex4(at + 8, end);
  if (low < 0xdc00 || low >= 0xe000) return {};
  uint32_t code =
      0x10000 + (static_cast<uint32_t>(high - 0xd800) << 10) + static_cast<uint32_t>(low - 0xdc00);
  return {12, write_utf8(code, to)};
}

// Appends the text of a string whose inside is `text`; false when an escape is bad.
inline bool unescape(std::string_view text, std::string& out) {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    if (*at != '\\') {
      out += *at++;
      continue;
    }
    char decoded[4];
    Escape escape = read_escape(at, end, decoded);
    if (escape.used == 0) return false;
    out.append(decoded, escape.written);
    at += escape.used;
  }
  return true;
}

// What kind of value begins with `c`, for messages.
inline std::string_view kind_of_value(char c) {
  switch (c) {
    case '"':
      return "text";
    case '{':
      return "an object";
    case '[':
      return "a list";
    case 't':
    case 'f':
      return "a truth value";
    case 'n':
      return "null";
    default:
      return c == '-' || static_cast<unsigned char>(c - '0') < 10 ? "a number" : "no JSON";
  }
}

}  // namespace mut::json
