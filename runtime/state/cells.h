// Cells of any kind, by their description: what stores do outside of kernels, and what kernels leave
// to the runtime (texts, pairs, distinct).
#pragma once
#include <cstring>

#include "runtime/batch/batch.h"
#include "runtime/inline/cells.h"
#include "runtime/state/keyed_table.h"

namespace mut::state {

// A cell in the memory of a row.
template <typename Cell>
Cell& cell_as(char* memory) {
  return *reinterpret_cast<Cell*>(memory);
}
template <typename Cell>
const Cell& cell_as(const char* memory) {
  return *reinterpret_cast<const Cell*>(memory);
}

// A text as two words: of a value, and as a cell keeps it.
inline MutStr text_of(const uint64_t* words) {
  MutStr out;
  memcpy(&out, words, sizeof(out));
  return out;
}
inline MutStoredStr stored_of(const uint64_t* words) {
  MutStoredStr out;
  memcpy(&out, words, sizeof(out));
  return out;
}

// A value as words; texts are MutStr, decimals their halves. For optional results `present` tells.
struct CellResult {
  uint64_t words[2] = {0, 0};
  bool present = true;
  bool overflow = false;  // of a sum of ints, a sum or mean of decimals
};

// Order of two values of a kind (rule 3.10).
int compare_words(const uint64_t* a, const uint64_t* b, WordKind kind);

// Adds a value that is there; not for Distinct. `order`: of ArgMin and ArgMax.
void add_value(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* value, const uint64_t* order,
               int64_t time);
// Adds what another cell of the same description has seen. Not for Distinct.
void merge_cell(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap);
// Not of lists: their memory is given by who asks (list_result()).
CellResult cell_result(const CellDesc& desc, const char* cell, const Heap& heap);
// The result as if the value had been added, the cell unchanged. For cells that own memory, but those that
// give lists.
CellResult peek_value(const CellDesc& desc, const char* cell, const Heap& heap, const uint64_t* value,
                      const uint64_t* order, int64_t time);
void free_cell(const CellDesc& desc, char* cell, Heap& heap);
// Writes a result into memory layout at `out`; `type` may be optional.
void write_result(const CellResult& result, const abi::TypeDesc& type, char* out);
// Widens from memory layout to words; false when an optional value is none.
bool read_words(const abi::TypeDesc& type, const char* value, uint64_t* words);

}  // namespace mut::state
