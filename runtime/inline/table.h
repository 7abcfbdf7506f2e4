// The hot half of keyed tables, inlined into kernels. Growth and everything rare: state/keyed_table.
#pragma once
#include "runtime/abi/kernel.h"
#include "runtime/inline/ahead.h"
#include "runtime/inline/hash.h"
#include "runtime/inline/recent.h"
#include "runtime/inline/tags.h"

extern "C" {
// Inserts a row whose key is not there; its cells are zero. Null when the budget is spent.
char* mut_table_insert(MutTable* table, const uint64_t* key, uint64_t hash);
// Most look-ups miss: the table goes on without.
void mut_table_forget_recent(MutTable* table);
// Empties the row of a group that is older than the clock of its store allows.
void mut_group_forget(MutContext* ctx, uint32_t store, char* row);
}

namespace mut::inl {

inline const char* stored_text(const MutHeap& heap, uint64_t offset) {
  return heap.blocks[offset >> 32] + static_cast<uint32_t>(offset);
}

inline MutStr load_text(const MutHeap& heap, const MutStoredStr& stored) {
  return {stored.size, stored.prefix, stored.size == 0 ? "" : stored_text(heap, stored.offset)};
}

inline bool same_key(const MutTable* table, const uint64_t* stored, const uint64_t* key, uint32_t words,
                     uint64_t text_mask) {
  for (uint32_t i = 0; i < words; ++i) {
    if (stored[i] != key[i]) return false;  // of a text: size and prefix
    if ((text_mask >> i & 1U) != 0) {
      MutStr text;
      memcpy(&text, key + i, sizeof(text));
      if (text.size > 4 && memcmp(stored_text(table->heap, stored[i + 1]), text.data, text.size) != 0)
        return false;
      ++i;
    }
  }
  return true;
}

inline const uint8_t* tags_of(const MutPlace& place) {
  return reinterpret_cast<const uint8_t*>(place.rows) + place.tags_offset;
}

// The row of a key, or null. `row_size` is that of the table: kernels know it as a constant.
inline char* find_row(const MutTable* table, const uint64_t* key, uint64_t hash, uint32_t words,
                      uint64_t text_mask, uint64_t row_size) {
  const MutPlace place = table->directory[hash >> table->directory_shift];
  const uint8_t* tags = tags_of(place);
  uint64_t group = home_group(hash, place.group_count);
  while (true) {
    const uint8_t* at = tags + group * group_slots;
    for (uint32_t same = tags_equal(at, tag_of(hash)); same != 0; same &= same - 1) {
      char* row = place.rows + (group * group_slots + static_cast<uint64_t>(__builtin_ctz(same))) * row_size;
      if (__builtin_expect(same_key(table, reinterpret_cast<const uint64_t*>(row + 8), key, words, text_mask),
                           1))
        return row;
    }
    if (__builtin_expect(tags_equal(at, tag_free) != 0, 1)) return nullptr;
    if (++group == place.group_count) group = 0;
  }
}

// A row that was found by its hash is found by its key from now on.
inline void note_recent(MutTable* table, uint64_t key, char* row, bool is_new) {
  if (table->recent == nullptr) return;
  char*& place = recent_place(*table->recent, key);
  bool meets = place != nullptr && !is_new;
  place = row;
  if (meets && __builtin_expect(meets_often(*table->recent), 0)) mut_table_forget_recent(table);
}

// By its hash.
inline char* find_or_insert_hashed(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                                   uint64_t row_size) {
  uint64_t hash = hash_key(key, words, text_mask, table->seed);
  char* row = find_row(table, key, hash, words, text_mask, row_size);
  bool is_new = row == nullptr;
  if (__builtin_expect(is_new, 0)) row = mut_table_insert(table, key, hash);
  if (text_mask == 0 && words == 1) note_recent(table, key[0], row, is_new);
  if (words == 0) table->only = row;
  return row;
}

// Where nothing was looked for ahead.
inline char* find_or_insert_now(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                                uint64_t row_size) {
  if (text_mask == 0 && words == 1) {
    char* row = row_recent(table->recent, key[0]);
    if (__builtin_expect(row != nullptr, 1)) return row;
  }
  return find_or_insert_hashed(table, key, words, text_mask, row_size);
}

inline char* find_or_insert(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                            uint64_t row_size) {
  if (text_mask == 0) {
    char* row = row_ahead(table->ahead, key, words);
    if (row != nullptr) return row;
  }
  return find_or_insert_now(table, key, words, text_mask, row_size);
}

}  // namespace mut::inl
