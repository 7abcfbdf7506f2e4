#include "runtime/codec/text/base64.h"

#include <array>
#include <cstdint>

namespace mut::text {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_values() {
  std::array<int8_t, 256> values{};
  for (int8_t& value : values) value = -1;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> values_of = make_values();

char letter(uint32_t bits) { return alphabet[bits & 63]; }

}  // namespace

char* format_base64(std::string_view bytes, char* to) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])); };
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, to += 4) {
    uint32_t bits = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    to[0] = letter(bits >> 18), to[1] = letter(bits >> 12), to[2] = letter(bits >> 6), to[3] = letter(bits);
  }
  size_t rest = bytes.size() - at;
  if (rest == 0) return to;
  uint32_t bits = byte(at) << 16 | (rest == 2 ? byte(at + 1) << 8 : 0);
  to[0] = letter(bits >> 18), to[1] = letter(bits >> 12);
  to[2] = rest == 2 ? letter(bits >> 6) : '=';
  to[3] = '=';
  return to + 4;
}

std::optional<size_t> parse_base64(std::string_view text, char* to) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  char* begin = to;
  for (size_t at = 0; at < text.size(); at += 4) {
    size_t letters = at + 4 == text.size() ? 4 - padding : 4;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) {
      int8_t value = i < letters ? values_of[static_cast<unsigned char>(text[at + i])] : int8_t{0};
      if (value < 0) return std::nullopt;
      bits = bits << 6 | static_cast<uint32_t>(value);
    }
    // Bits that belong to no byte must be zero: one text per value.
    if ((letters == 2 && (bits & 0xffff) != 0) || (letters == 3 && (bits & 0xff) != 0)) return std::nullopt;
    *to++ = static_cast<char>(bits >> 16);
    if (letters > 2) *to++ = static_cast<char>(bits >> 8);
    if (letters > 3) *to++ = static_cast<char>(bits);
  }
  return static_cast<size_t>(to - begin);
}

}  // namespace mut::text
