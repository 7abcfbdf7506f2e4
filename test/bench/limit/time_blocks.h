// Rows in blocks, so that the times of a whole block are compared with a window at once.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace mut::bench {

constexpr size_t time_block_rows = 512;

// Calls `whole(begin, count)` for blocks that lie within the window [start, end) of `window`, and for the
// rows of the others `close(time)` when one is at its end or later, then `one(row)` when it is not before its
// start. Returns the newest time.
template <typename Window, typename Whole, typename One, typename Close>
int64_t run_in_blocks(const int64_t* time_ns, size_t row_count, const Window& window, Whole whole, One one,
                      Close close) {
  int64_t watermark = std::numeric_limits<int64_t>::min();
  for (size_t begin = 0; begin < row_count; begin += time_block_rows) {
    const size_t count = std::min(time_block_rows, row_count - begin);
    int64_t oldest = std::numeric_limits<int64_t>::max();
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (size_t i = begin; i < begin + count; ++i) {
      oldest = std::min(oldest, time_ns[i]);
      newest = std::max(newest, time_ns[i]);
    }
    watermark = std::max(watermark, newest);
    if (oldest >= window.start_ns && newest < window.end_ns) {
      whole(begin, count);
      continue;
    }
    for (size_t i = begin; i < begin + count; ++i) {
      if (time_ns[i] >= window.end_ns) close(time_ns[i]);
      if (time_ns[i] >= window.start_ns) one(i);
    }
  }
  return watermark;
}

struct Span {
  int64_t start_ns = 0, end_ns = 0;
  static Span around(int64_t time_ns, int64_t size_ns) {
    const int64_t start_ns = time_ns / size_ns * size_ns;
    return {start_ns, start_ns + size_ns};
  }
};

}  // namespace mut::bench
