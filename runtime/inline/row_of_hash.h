// Rows of keyed tables for who knows the hash of a key and has not the key at hand: what lets go of entries
// long after they came. See runtime/inline/table.h.
#pragma once
#include "runtime/inline/table.h"

namespace mut::inl {

// The row of a key of that hash that `is_it`; null: there is none.
template <typename IsIt>
char* row_of_hash(const MutTable& table, uint64_t hash, IsIt is_it) {
  const MutPlace place = table.directory[hash >> table.directory_shift];
  const uint8_t* tags = tags_of(place);
  uint64_t group = home_group(hash, place.group_count);
  while (true) {
    const uint8_t* at = tags + group * group_slots;
    for (uint32_t same = tags_equal(at, tag_of(hash)); same != 0; same &= same - 1) {
      uint64_t slot = group * group_slots + static_cast<uint64_t>(__builtin_ctz(same));
      char* row = place.rows + slot * table.row_size;
      if (*reinterpret_cast<const uint64_t*>(row) == hash && is_it(row)) return row;
    }
    if (tags_equal(at, tag_free) != 0) return nullptr;
    if (++group == place.group_count) group = 0;
  }
}

// Asks the memory for the tags that this reads first.
inline void fetch_tags(const MutTable& table, uint64_t hash) {
  const MutPlace place = table.directory[hash >> table.directory_shift];
  __builtin_prefetch(tags_of(place) + home_group(hash, place.group_count) * group_slots, 1);
}

// Then for the rows that these tags say.
inline void fetch_rows(const MutTable& table, uint64_t hash) {
  const MutPlace place = table.directory[hash >> table.directory_shift];
  uint64_t slot = home_group(hash, place.group_count) * group_slots;
  for (uint32_t same = tags_equal(tags_of(place) + slot, tag_of(hash)); same != 0; same &= same - 1)
    __builtin_prefetch(place.rows + (slot + static_cast<uint64_t>(__builtin_ctz(same))) * table.row_size, 1);
}

}  // namespace mut::inl
