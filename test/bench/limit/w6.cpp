#include "test/bench/limit/w6.h"

#include <algorithm>
#include <bit>

namespace mut::bench {
namespace {

constexpr size_t block_rows = 4096;
// Past this the table leaves the second-level cache and prefetching pays; below it costs.
constexpr size_t prefetch_bytes_min = size_t{2} << 20;

unsigned shift_for(size_t slots) { return 64U - static_cast<unsigned>(std::countr_zero(slots)); }

}  // namespace

KeyedTable::KeyedTable(size_t slots) : slots_(slots), shift_(shift_for(slots)) {}

inline void KeyedTable::update_row(int64_t key, int64_t value) {
  const size_t mask = slots_.size() - 1;
  for (size_t at = slot_of(key);; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.count == 0) {
      slot = {key, 1, value, value};
      if (++used_ * 2 > slots_.size()) grow();
      return;
    }
    if (slot.key == key) {
      ++slot.count;
      slot.sum += value;
      slot.max = std::max(slot.max, value);
      return;
    }
  }
}

void KeyedTable::update_prefetched(const int64_t* keys, const int64_t* values, size_t count) {
  // Misses in flight; the queue runs that far ahead of the updates.
  constexpr size_t ahead_rows = 32;
  for (size_t i = 0; i < std::min(ahead_rows, count); ++i) __builtin_prefetch(&slots_[slot_of(keys[i])], 1);
  for (size_t i = 0; i < count; ++i) {
    if (i + ahead_rows < count) __builtin_prefetch(&slots_[slot_of(keys[i + ahead_rows])], 1);
    update_row(keys[i], values[i]);
  }
}

void KeyedTable::update(const int64_t* keys, const int64_t* values, size_t count) {
  for (size_t begin = 0; begin < count; begin += block_rows) {
    const size_t rows = std::min(block_rows, count - begin);
    if (slots_.size() * sizeof(Slot) >= prefetch_bytes_min) {
      update_prefetched(keys + begin, values + begin, rows);
      continue;
    }
    for (size_t i = begin; i < begin + rows; ++i) update_row(keys[i], values[i]);
  }
}

void KeyedTable::grow() {
  HugeArray<Slot> old(slots_.size() * 2);
  std::swap(old, slots_);
  shift_ = shift_for(slots_.size());
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.count == 0) continue;
    size_t at = slot_of(slot.key);
    while (slots_[at].count != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

KeyedTotals KeyedTable::read_out() const {
  KeyedTotals totals;
  for (const Slot& slot : slots_) {
    totals.count += slot.count;
    totals.sum += slot.sum;
    totals.max += slot.count == 0 ? 0 : slot.max;
  }
  totals.keys = used_;
  return totals;
}

KeyedTotals run_keyed(const KeyedPairs& pairs) {
  KeyedTable table;
  table.update(pairs.key.data(), pairs.value.data(), pairs.row_count());
  return table.read_out();
}

KeyedTotals run_keyed_sized(const KeyedPairs& pairs, size_t keys) {
  KeyedTable table(std::bit_ceil(keys * 2 + 2));
  table.update(pairs.key.data(), pairs.value.data(), pairs.row_count());
  return table.read_out();
}

}  // namespace mut::bench
