// Cells of aggregates: what they hold, how an event is added, how two are merged, what they give.
// All-zero memory is the empty cell. Sums are compensated (Neumaier 1974); variance is Welford's
// (1962) with Chan's merge (1979). Texts in cells belong to the store's heap (state/cells).
#pragma once
#include <math.h>

#include "runtime/abi/kernel.h"

namespace mut::inl {

struct CountCell {
  int64_t count;
};

struct IntSumCell {  // 128 bits: later events can bring an overflow back
  uint64_t low;
  int64_t high;
};

struct DecimalSumCell {  // of the units, 192 bits: neither many values nor their order matter
  uint64_t low;
  uint64_t middle;
  int64_t high;
  int64_t count;
};

struct FloatSumCell {
  double sum;
  double compensation;
  int64_t count;
};

struct MomentsCell {
  int64_t count;
  double mean;
  double squares;
};

struct BoolCell {
  int64_t count;
  int64_t any;
  int64_t all;
};

inline void add(CountCell& cell) { ++cell.count; }

inline __int128 value(const IntSumCell& cell) {
  return static_cast<__int128>((static_cast<unsigned __int128>(static_cast<uint64_t>(cell.high)) << 64) |
                               cell.low);
}
inline void store(IntSumCell& cell, __int128 sum) {
  cell.low = static_cast<uint64_t>(sum);
  cell.high = static_cast<int64_t>(static_cast<unsigned __int128>(sum) >> 64);
}
inline void add(IntSumCell& cell, int64_t x) { store(cell, value(cell) + x); }
inline void merge(IntSumCell& cell, const IntSumCell& other) { store(cell, value(cell) + value(other)); }
inline bool fits(const IntSumCell& cell) { return cell.high == static_cast<int64_t>(cell.low) >> 63; }

inline void add_sum(DecimalSumCell& cell, uint64_t low, uint64_t middle, int64_t high) {
  bool carry = __builtin_add_overflow(cell.low, low, &cell.low);
  bool more = __builtin_add_overflow(cell.middle, middle, &cell.middle);
  more |= __builtin_add_overflow(cell.middle, static_cast<uint64_t>(carry), &cell.middle);
  cell.high = static_cast<int64_t>(static_cast<uint64_t>(cell.high) + static_cast<uint64_t>(high) +
                                   static_cast<uint64_t>(more));
}
inline void add(DecimalSumCell& cell, uint64_t low, uint64_t high) {
  ++cell.count;
  add_sum(cell, low, high, static_cast<int64_t>(high) >> 63);
}
inline void merge(DecimalSumCell& cell, const DecimalSumCell& other) {
  cell.count += other.count;
  add_sum(cell, other.low, other.middle, other.high);
}

inline void add_sum(FloatSumCell& cell, double x) {
  double sum = cell.sum + x;
  if (fabs(cell.sum) >= fabs(x)) {
    cell.compensation += (cell.sum - sum) + x;
  } else {
    cell.compensation += (x - sum) + cell.sum;
  }
  cell.sum = sum;
}
inline void add(FloatSumCell& cell, double x) {
  ++cell.count;
  add_sum(cell, x);
}
inline void merge(FloatSumCell& cell, const FloatSumCell& other) {
  cell.count += other.count;
  add_sum(cell, other.sum);
  cell.compensation += other.compensation;
}
// Once a sum is infinite or NaN its compensation means nothing.
inline double value(const FloatSumCell& cell) {
  return isfinite(cell.sum) && isfinite(cell.compensation) ? cell.sum + cell.compensation : cell.sum;
}
inline double mean(const FloatSumCell& cell) { return value(cell) / static_cast<double>(cell.count); }

inline void add(MomentsCell& cell, double x) {
  ++cell.count;
  double delta = x - cell.mean;
  cell.mean += delta / static_cast<double>(cell.count);
  cell.squares += delta * (x - cell.mean);
}
inline void merge(MomentsCell& cell, const MomentsCell& other) {
  if (other.count == 0) return;
  if (cell.count == 0) {
    cell = other;
    return;
  }
  auto a = static_cast<double>(cell.count);
  auto b = static_cast<double>(other.count);
  double delta = other.mean - cell.mean;
  cell.mean += delta * (b / (a + b));
  cell.squares += other.squares + delta * delta * (a * b / (a + b));
  cell.count += other.count;
}
inline double variance(const MomentsCell& cell) { return cell.squares / static_cast<double>(cell.count); }
inline double variance_sample(const MomentsCell& cell) {
  return cell.squares / static_cast<double>(cell.count - 1);
}

inline void add(BoolCell& cell, uint8_t x) {
  cell.all = cell.count == 0 ? x : (cell.all & x);
  cell.any |= x;
  ++cell.count;
}
inline void merge(BoolCell& cell, const BoolCell& other) {
  if (other.count == 0) return;
  cell.all = cell.count == 0 ? other.all : (cell.all & other.all);
  cell.any |= other.any;
  cell.count += other.count;
}

}  // namespace mut::inl
