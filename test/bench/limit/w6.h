// Keyed state by hand: count, sum and max per key in an open-addressing table that grows from empty.
#pragma once
#include <cstddef>
#include <cstdint>

#include "test/bench/input/huge_array.h"
#include "test/bench/input/keyed_pairs.h"

namespace mut::bench {

struct KeyedTotals {
  int64_t count = 0, sum = 0, max = 0;  // summed over the keys
  size_t keys = 0;
};

class KeyedTable {
 public:
  KeyedTable() : KeyedTable(first_slots) {}
  // A power of two, of which the keys take half at most without growth.
  explicit KeyedTable(size_t slots);
  void update(const int64_t* keys, const int64_t* values, size_t count);
  KeyedTotals read_out() const;

 private:
  static constexpr size_t first_slots = 1024;
  struct Slot {
    int64_t key, count, sum, max;  // count 0: empty
  };
  static_assert(sizeof(Slot) == 32);

  size_t slot_of(int64_t key) const {
    return static_cast<size_t>((static_cast<uint64_t>(key) * 0x9E3779B97F4A7C15) >> shift_);
  }
  void update_row(int64_t key, int64_t value);
  void update_prefetched(const int64_t* keys, const int64_t* values, size_t count);
  void grow();

  HugeArray<Slot> slots_;
  unsigned shift_;  // 64 minus the logarithm of the slot count
  size_t used_ = 0;
};

// One pass: all pairs into a new table, then the read-out.
KeyedTotals run_keyed(const KeyedPairs& pairs);
// The same where the number of keys is known beforehand: what the design's limit was measured with.
KeyedTotals run_keyed_sized(const KeyedPairs& pairs, size_t keys);

}  // namespace mut::bench
