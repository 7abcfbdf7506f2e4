// Asks for memory ahead of a sequential read. The hardware does so too, but mispredicted branches and
// several streams at once keep it from using all of the bandwidth.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mut::bench {

constexpr size_t cache_line_bytes = 64;

// The line `bytes` past `from`; nothing happens where no memory is.
inline void prefetch_ahead(const void* from, size_t bytes) {
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(from) + bytes));
}

// All lines of `count` words, `bytes` past `from`.
inline void prefetch_words_ahead(const int64_t* from, size_t count, size_t bytes) {
  for (size_t at = 0; at < count * sizeof(int64_t); at += cache_line_bytes) prefetch_ahead(from, bytes + at);
}

}  // namespace mut::bench
