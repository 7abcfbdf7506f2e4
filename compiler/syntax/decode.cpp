#include "compiler/syntax/decode.h"

namespace mut::syntax {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Bytes of the well-formed character at `at`, 0 when there is none.
uint32_t character_length(std::string_view bytes, size_t at, char32_t& code_point) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  uint32_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() - at < length) return 0;
  code_point = lead & (0xFFU >> (length + 1));
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code_point = code_point << 6U | (byte(i) & 0x3FU);
  }
  bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return overlong || surrogate || code_point > 0x10FFFF ? 0 : length;
}

}  // namespace

DecodedText decode(std::string_view bytes) {
  DecodedText out;
  out.byte_count = static_cast<uint32_t>(bytes.size());
  if (bytes.starts_with(byte_order_mark)) out.skipped = static_cast<uint32_t>(byte_order_mark.size());
  out.characters.reserve(bytes.size());
  for (size_t i = out.skipped; i < bytes.size();) {
    char32_t code_point = 0;
    uint32_t length = character_length(bytes, i, code_point);
    if (length == 0) {
      DecodedText refused;
      refused.bad_byte = static_cast<uint32_t>(i);
      return refused;
    }
    // Scripts are mostly ASCII; the table begins with the first character that is not.
    if (length > 1 && out.bytes_at.empty()) {
      out.bytes_at.reserve(bytes.size());
      for (size_t k = 0; k < out.characters.size(); ++k) {
        out.bytes_at.push_back(static_cast<uint32_t>(k) + out.skipped);
      }
    }
    if (length > 1 || !out.bytes_at.empty()) out.bytes_at.push_back(static_cast<uint32_t>(i));
    out.characters.push_back(code_point);
    i += length;
  }
  return out;
}

void append_utf8(std::string& out, uint32_t code_point) {
  auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3FU));
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

}  // namespace mut::syntax
