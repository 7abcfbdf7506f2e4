// UTF-8 to code points, as the lexer counts, and back to bytes, as spans count.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut::syntax {

struct DecodedText {
  std::u32string characters;         // without a leading byte order mark
  std::vector<uint32_t> bytes_at;    // byte offset of each character; empty when offset == index + skipped
  uint32_t skipped = 0;              // bytes of the byte order mark
  uint32_t byte_count = 0;           // of the whole file
  std::optional<uint32_t> bad_byte;  // offset of the first byte that is no UTF-8; then nothing else is set

  uint32_t byte_at(size_t character) const {
    if (character >= characters.size()) return byte_count;
    return bytes_at.empty() ? static_cast<uint32_t>(character) + skipped : bytes_at[character];
  }
};

DecodedText decode(std::string_view bytes);

// Appends the UTF-8 of a code point.
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace mut::syntax
