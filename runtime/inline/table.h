// The hot half of keyed tables, inlined into kernels. Growth and everything rare: state/keyed_table.
#pragma once
#include "runtime/abi/kernel.h"
#include "runtime/inline/hash.h"

extern "C" {
// Inserts a row whose key is not there; its cells are zero. Null when the budget is spent.
char* mut_table_insert(MutTable* table, const uint64_t* key, uint64_t hash);
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

// The row of a key, or null. `row_size` is that of the table: kernels know it as a constant.
inline char* find_row(const MutTable* table, const uint64_t* key, uint64_t hash, uint32_t words,
                      uint64_t text_mask, uint64_t row_size) {
  const MutPlace place = table->directory[hash >> table->directory_shift];
  uint64_t slot = (static_cast<uint64_t>(static_cast<uint32_t>(hash)) * place.slot_count) >> 32;
  while (true) {
    char* row = place.rows + slot * row_size;
    uint64_t stored;
    memcpy(&stored, row, 8);
    if (__builtin_expect(stored == hash, 1) &&
        same_key(table, reinterpret_cast<const uint64_t*>(row + 8), key, words, text_mask))
      return row;
    if (stored == 0) return nullptr;
    if (++slot == place.slot_count) slot = 0;
  }
}

inline void prefetch_row(const MutTable* table, const uint64_t* key, uint32_t words) {
  uint64_t hash = hash_key(key, words, 0, table->seed);
  const MutPlace place = table->directory[hash >> table->directory_shift];
  uint64_t slot = (static_cast<uint64_t>(static_cast<uint32_t>(hash)) * place.slot_count) >> 32;
  const char* row = place.rows + slot * table->row_size;
  __builtin_prefetch(row, 1);
  __builtin_prefetch(row + table->row_size, 1);  // many keys lie behind their own slot
}

inline char* find_or_insert(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                            uint64_t row_size) {
  uint64_t hash = hash_key(key, words, text_mask, table->seed);
  char* row = find_row(table, key, hash, words, text_mask, row_size);
  return __builtin_expect(row != nullptr, 1) ? row : mut_table_insert(table, key, hash);
}

}  // namespace mut::inl
