// Sums and maxima of the last `width` values by hand, over one column without keys.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mut::bench {

// What the results are summed to: results of sums are divided by `sliding_sum_unit` first, for the whole of
// them to fit.
constexpr int64_t sliding_sum_unit = 4096;
struct SlidingTotals {
  uint64_t rows = 0;
  int64_t total = 0;
};

// A result at each `slide`-th value, of the last `width` values, of fewer at first; `slide` is 1 or more and
// a divisor of `width`. What is left at the end makes one result more.
SlidingTotals run_sliding_sum(const std::vector<int64_t>& values, size_t width, size_t slide);
// Two stacks: the maxima of what came since the last turn, and those of what was there, counted from its end.
SlidingTotals run_sliding_max(const std::vector<int64_t>& values, size_t width, size_t slide);

}  // namespace mut::bench
