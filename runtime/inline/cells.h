// Cells that keep a value: smallest, largest, first, last, previous. Numbers here; texts and pairs in
// state/cells, which uses the same order (rule 3.10).
#pragma once
#include "runtime/inline/aggregate.h"

namespace mut::inl {

struct ExtremeCell {  // min and max of numbers
  uint64_t word;
  int64_t count;
};

struct ValueCell {  // first, last, previous; min and max of texts and decimals
  uint64_t words[2];
  int64_t time;
  int64_t state;  // 0 empty, 1 a value, 2 none
};

struct ArgCell {
  uint64_t order[2];
  uint64_t value[2];
  int64_t time;
  int64_t state;
};

inline double as_double(uint64_t word) {
  double out;
  memcpy(&out, &word, 8);
  return out;
}
inline uint64_t as_word(double value) {
  uint64_t out;
  memcpy(&out, &value, 8);
  return out;
}

// The one order of keys and aggregates: -0.0 equals 0.0, NaN is last and equal to itself.
inline bool total_less(double a, double b) { return a < b || (b != b && a == a); }
inline bool total_equal(double a, double b) { return a == b || (a != a && b != b); }

// Keys hold one form of each float.
inline uint64_t key_word(double value) {
  return value != value ? 0x7FF8000000000000ULL : value == 0 ? 0 : as_word(value);
}

enum class Order : uint8_t { Signed, Unsigned, Float };

inline bool word_less(uint64_t a, uint64_t b, Order order) {
  if (order == Order::Float) return total_less(as_double(a), as_double(b));
  return order == Order::Signed ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
}

inline void add_min(ExtremeCell& cell, uint64_t word, Order order) {
  if (cell.count++ == 0 || word_less(word, cell.word, order)) cell.word = word;
}
inline void add_max(ExtremeCell& cell, uint64_t word, Order order) {
  if (cell.count++ == 0 || word_less(cell.word, word, order)) cell.word = word;
}
// Ties of time: the first stays first, the last to arrive is last.
inline void add_first(ValueCell& cell, uint64_t word, int64_t time) {
  if (cell.state == 0 || time < cell.time) cell = {{word, 0}, time, 1};
}
inline void add_last(ValueCell& cell, uint64_t word, int64_t time) {
  if (cell.state == 0 || time >= cell.time) cell = {{word, 0}, time, 1};
}

}  // namespace mut::inl
