// Lines at the begin of a text.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mut::codec {

struct LineCut {
  size_t bytes = 0;
  uint32_t lines = 0;
};

// As many whole lines as `is_record(line)` says are records by themselves (without their line end),
// `lines_max` at most.
template <typename IsRecord>
LineCut cut_lines(std::string_view text, uint32_t lines_max, const IsRecord& is_record) {
  LineCut out;
  while (out.lines < lines_max && out.bytes < text.size()) {
    const char* at = text.data() + out.bytes;
    auto end = static_cast<const char*>(memchr(at, '\n', text.size() - out.bytes));
    if (end == nullptr || !is_record(std::string_view(at, static_cast<size_t>(end - at)))) break;
    out.bytes += static_cast<size_t>(end - at) + 1;
    ++out.lines;
  }
  return out;
}

inline LineCut cut_lines(std::string_view text, uint32_t lines_max) {
  return cut_lines(text, lines_max, [](std::string_view) { return true; });
}

}  // namespace mut::codec
