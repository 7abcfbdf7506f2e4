// Cells that keep values: quantile, collect, top, string_agg. What they keep lies in the heap of their
// store, in one piece per list, and so counts in the budget. All-zero memory is the empty cell.
#pragma once
#include "runtime/state/cells.h"

namespace mut::state {

struct ListCell {
  uint64_t offset;    // in the heap, of `capacity` entries
  uint32_t capacity;  // a power of two; 0: no memory yet
  uint32_t count;
};

// Floats, one word each. Ranked: `low` is a heap of the smaller ones with the largest on top, up to and with
// the one at the place of the share, `high` one of the others with the smallest on top. Else all lie in
// `high`, as they came.
struct QuantileCell {
  ListCell low;
  ListCell high;
};

// Bytes that the next event may need in the heap for the cells of a row, texts aside.
uint64_t growth_of(const StoreDesc& desc, const char* row);
// Bytes that the next event may need for the values of `distinct`, texts aside: their tables grow by
// segments.
uint64_t distinct_growth(const StoreDesc& desc);
// Bytes of the heap that they have, texts aside.
uint64_t kept_bytes(const StoreDesc& desc, const char* row);

// As their namesakes in state/cells, for these cells. Lists of Collect and StringAgg are in order of time, of
// Top from the largest on, equal ones by time; ties by arrival. No longer than `most`.
void add_kept(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* value, int64_t time);
void merge_kept(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap);
void free_kept(const CellDesc& desc, char* cell, Heap& heap);

CellResult quantile_result(const CellDesc& desc, const char* cell, const Heap& heap);
// As if the value had been added; of a ranked cell.
CellResult peek_quantile(const CellDesc& desc, const char* cell, const Heap& heap, double value);
// Of values in any order, which are moved.
CellResult quantile_of(double share, std::vector<double>& values);

// 1 + how many of a cell of Rank are greater.
int64_t rank_in(const CellDesc& desc, const char* cell, const Heap& heap, const uint64_t* value);

// A value with its time; texts are MutStr.
struct KeptValue {
  uint64_t words[2] = {0, 0};
  int64_t time = 0;
};
// The result in words, as MutList or MutStr, of memory of the arena. `next`: as if it had been added; or
// null.
CellResult list_result(const CellDesc& desc, const char* cell, const Heap& heap, const KeptValue* next,
                       batch::Arena& arena);
// The same of values in order of arrival.
CellResult list_of(const CellDesc& desc, std::vector<KeptValue> values, batch::Arena& arena);

}  // namespace mut::state
