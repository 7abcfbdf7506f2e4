// Source text made safe and measurable for a terminal and for JSON.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mut::diag {

// One character at the front of `text`: its bytes, and what it becomes on a screen.
struct DisplayCharacter {
  uint32_t byte_count = 1;  // in `text`; never 0
  std::string shown;        // control characters and broken UTF-8 become U+FFFD, a tab four blanks
  uint32_t column_count = 1;
};
DisplayCharacter next_display_character(std::string_view text);

// All of `text`, with nothing in it that could move a cursor.
std::string display_text(std::string_view text);

// `text` as the inside of a JSON string: escaped, broken UTF-8 replaced.
std::string json_text(std::string_view text);

}  // namespace mut::diag
