// Rows of tables asked of the memory before they are used.
#pragma once
#include <stdint.h>

namespace mut::inl {

constexpr uint64_t line_bytes = 64;  // of the cache

// All lines of a row, which begins anywhere in its first.
inline void fetch_row(const char* row, uint64_t row_size) {
  __builtin_prefetch(row, 1);
  for (uint64_t at = line_bytes; at < row_size; at += line_bytes) __builtin_prefetch(row + at, 1);
  if (row_size % line_bytes != 0) __builtin_prefetch(row + row_size - 1, 1);
}

}  // namespace mut::inl
