#include "compiler/diagnostics/display_text.h"

#include <fmt/format.h>

namespace mut::diag {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// Length in bytes of the well-formed UTF-8 character at the front, 0 when it is malformed.
uint32_t utf8_length(std::string_view text, uint32_t& code_point) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  uint32_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  code_point = lead & (0xFFU >> (length + 1));
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code_point = code_point << 6U | (byte(i) & 0x3FU);
  }
  bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return overlong || surrogate || code_point > 0x10FFFF ? 0 : length;
}

bool is_combining(uint32_t c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x20D0 && c <= 0x20FF) ||
         (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F);
}

// The blocks that terminals draw two columns wide (East Asian Width W and F, and emoji).
bool is_wide(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
         (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) ||
         (c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1F900 && c <= 0x1F9FF) || (c >= 0x20000 && c <= 0x3FFFD);
}

// C0 and C1 controls, and the marks that reorder text from right to left.
bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

DisplayCharacter next_display_character(std::string_view text) {
  uint32_t code_point = 0;
  uint32_t length = utf8_length(text, code_point);
  if (length == 0) return {1, std::string(replacement_character), 1};
  if (code_point == 0xFEFF) return {length, "", 0};  // the byte order mark
  if (code_point == '\t') return {1, "    ", 4};
  if (is_control(code_point)) return {length, std::string(replacement_character), 1};
  uint32_t columns = is_combining(code_point) ? 0 : is_wide(code_point) ? 2 : 1;
  return {length, std::string(text.substr(0, length)), columns};
}

std::string display_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    DisplayCharacter character = next_display_character(text);
    out += character.shown;
    text.remove_prefix(character.byte_count);
  }
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    uint32_t code_point = 0;
    uint32_t length = utf8_length(text, code_point);
    if (length == 0) {
      out += replacement_character;
      text.remove_prefix(1);
      continue;
    }
    if (code_point == '"' || code_point == '\\') {
      out += '\\';
      out += text[0];
    } else if (code_point < 0x20 || code_point == 0x7F) {
      out += fmt::format("\\u{:04x}", code_point);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace mut::diag
