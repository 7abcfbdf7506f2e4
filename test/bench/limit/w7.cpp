#include "test/bench/limit/w7.h"

#include <algorithm>
#include <limits>

namespace mut::bench {
namespace {

// The values of each slide as one: what windows of whole slides are made of.
template <typename Join>
std::vector<int64_t> joined(const std::vector<int64_t>& values, size_t slide, Join join) {
  std::vector<int64_t> out;
  out.reserve(values.size() / slide + 1);
  for (size_t begin = 0; begin < values.size(); begin += slide) {
    const size_t end = std::min(begin + slide, values.size());
    int64_t all = values[begin];
    for (size_t i = begin + 1; i < end; ++i) all = join(all, values[i]);
    out.push_back(all);
  }
  return out;
}

SlidingTotals sums(const std::vector<int64_t>& values, size_t width) {
  SlidingTotals totals{values.size(), 0};
  int64_t sum = 0;
  const size_t first = std::min(width, values.size());
  for (size_t i = 0; i < first; ++i) {
    sum += values[i];
    totals.total += sum / sliding_sum_unit;
  }
  for (size_t i = first; i < values.size(); ++i) {
    sum += values[i] - values[i - width];
    totals.total += sum / sliding_sum_unit;
  }
  return totals;
}

SlidingTotals maxima(const std::vector<int64_t>& values, size_t width) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  SlidingTotals totals{values.size(), 0};
  std::vector<int64_t> older(width + 1, least);  // older[i]: the largest of the last turn's values from i on
  for (size_t turn = 0; turn < values.size(); turn += width) {
    const size_t end = std::min(width, values.size() - turn);
    int64_t newer = least;
    for (size_t i = 0; i < end; ++i) {
      newer = std::max(newer, values[turn + i]);
      totals.total += std::max(newer, older[i + 1]);
    }
    if (end < width) break;
    for (size_t i = width; i-- > 0;) older[i] = std::max(older[i + 1], values[turn + i]);
  }
  return totals;
}

}  // namespace

SlidingTotals run_sliding_sum(const std::vector<int64_t>& values, size_t width, size_t slide) {
  if (slide == 1) return sums(values, width);
  return sums(joined(values, slide, [](int64_t a, int64_t b) { return a + b; }), width / slide);
}

SlidingTotals run_sliding_max(const std::vector<int64_t>& values, size_t width, size_t slide) {
  if (slide == 1) return maxima(values, width);
  return maxima(joined(values, slide, [](int64_t a, int64_t b) { return std::max(a, b); }), width / slide);
}

}  // namespace mut::bench
