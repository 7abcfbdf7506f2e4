// Where whole records of text end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mut::connector {

// Of CSV a line end between quotes is none; JSON has no such, and other quotes.
enum class LineEnds : uint8_t { All, Unquoted };

// How many bytes the whole records have that are in the first `bytes_max`; where the first is longer, that
// one.
inline size_t whole_records(std::string_view text, size_t bytes_max, LineEnds ends) {
  size_t end = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size() && (i < bytes_max || end == 0); ++i) {
    if (text[i] == '"') quoted = !quoted && ends == LineEnds::Unquoted;
    if (text[i] == '\n' && !quoted) end = i + 1;
  }
  return end == 0 ? text.size() : end;
}

}  // namespace mut::connector
