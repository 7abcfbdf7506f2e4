// How many different values there are, about: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with
// 2^12 registers over 64-bit hashes, estimated as in Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches" (2017), section 4, which needs no correction by tables. Up to 256 values their
// hashes are kept as they are, and the count is exact. Beyond, the standard error is 1.04 / sqrt(2^12) = 1.6
// %, so that 95 of 100 counts are within 3.3 %. What a sketch says depends on the values alone, not on their
// order, nor on how many sketches they were put in before those were merged.
#pragma once
#include "runtime/state/cells.h"

namespace mut::state {

// The words of a value as they are keys (inl::key_word) to the hash that sketches count.
uint64_t sketch_hash(const uint64_t* value, WordKind kind);

// All-zero memory is the empty cell.
struct SketchCell {
  uint64_t offset;    // in the heap: a set of hashes, or registers
  uint32_t capacity;  // of the set, a power of two; `registers_kept`: they are registers
  uint32_t count;     // of the set
};

// Bytes of the heap: that the next value may need, and that there are.
uint64_t sketch_growth(const char* cell);
uint64_t sketch_bytes(const char* cell);
void add_hash(char* cell, Heap& heap, uint64_t hash);
void merge_sketch(char* cell, Heap& heap, const char* other, const Heap& other_heap);
void free_sketch(char* cell, Heap& heap);
int64_t sketch_count(const char* cell, const Heap& heap);
// As if a value of that hash had been added.
int64_t peek_sketch(const char* cell, const Heap& heap, uint64_t hash);

// The same of hashes, which are sorted.
int64_t count_of_hashes(std::vector<uint64_t>& hashes);

}  // namespace mut::state
