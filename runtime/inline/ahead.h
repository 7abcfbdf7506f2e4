// Look-ups of keys of numbers some events ahead, so that the misses of many events are under way together,
// and nothing is hashed or compared twice. A row found ahead is a guess: it counts when its key is the one
// asked for. After Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching"
// (ICDE 2004), there "software-pipelined prefetching".
#pragma once
#include "runtime/abi/kernel.h"
#include "runtime/inline/fetch.h"
#include "runtime/inline/hash.h"
#include "runtime/inline/tags.h"

namespace mut::inl {

// Events ahead: far enough for a miss each, near enough that the lines are still there.
constexpr uint64_t ahead_tags = 56;
constexpr uint64_t ahead_row = 32;
static_assert(ahead_tags < MUT_AHEAD_ROWS);

inline MutAheadRow& at_number(MutAhead& ahead, uint64_t number) {
  return ahead.rows[number & (MUT_AHEAD_ROWS - 1)];
}

// Event `number` is next. Starts over where rows have moved or events were left out.
inline void begin_ahead(MutAhead& ahead, uint64_t number) {
  ahead.now = number;
  if (__builtin_expect(ahead.fresh == 0 || ahead.asked < number, 0)) {
    ahead.fresh = 1;
    ahead.asked = number;
    ahead.matched = number;
  }
}

// The next event that was not looked for yet has this key.
inline void ask_tags(MutAhead& ahead, const uint64_t* key, uint32_t words) {
  const MutTable& table = *ahead.table;
  uint64_t hash = hash_key(key, words, 0, table.seed);
  const MutPlace place = table.directory[hash >> table.directory_shift];
  uint64_t slot = home_group(hash, place.group_count) * group_slots;
  MutAheadRow& of = at_number(ahead, ahead.asked++);
  of = {reinterpret_cast<const uint8_t*>(place.rows) + place.tags_offset + slot,
        place.rows + slot * table.row_size, tag_of(hash)};
  __builtin_prefetch(of.tags);
}

// Events before `end`, of which the tags were asked for, are matched. A key that is not there will take the
// first free slot of its group.
inline void ask_rows(MutAhead& ahead, uint64_t end) {
  const uint64_t row_size = ahead.table->row_size;
  for (; ahead.matched < end; ++ahead.matched) {
    MutAheadRow& of = at_number(ahead, ahead.matched);
    char* group = of.row;
    uint32_t same = tags_equal(of.tags, static_cast<uint8_t>(of.tag));
    uint32_t asked = same != 0 ? same : tags_equal(of.tags, tag_free) | 1U << (group_slots - 1);
    char* first = group + static_cast<uint64_t>(__builtin_ctz(asked)) * row_size;
    fetch_row(first, row_size);
    of.row = same != 0 ? first : nullptr;
    for (same &= same - 1; __builtin_expect(same != 0, 0); same &= same - 1)
      fetch_row(group + static_cast<uint64_t>(__builtin_ctz(same)) * row_size, row_size);
  }
}

// The row of a key, when that is what was found ahead.
inline char* row_ahead(MutAhead* ahead, const uint64_t* key, uint32_t words) {
  if (ahead == nullptr || ahead->fresh == 0) return nullptr;
  char* row = at_number(*ahead, ahead->now).row;
  if (row == nullptr) return nullptr;
  const auto* stored = reinterpret_cast<const uint64_t*>(row + 8);
  for (uint32_t i = 0; i < words; ++i) {
    if (stored[i] != key[i]) return nullptr;
  }
  return row;
}

}  // namespace mut::inl
