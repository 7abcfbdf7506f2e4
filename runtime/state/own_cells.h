// Cells of Own: variables of the script, those of a `process` and those of its aggregates. Words of numbers
// lie in the row; a text, and a list, map or record as one packed piece, lies in the heap of the store.
//
// A kernel works on a copy of the words, in which a text is a MutStr and a packed value a pointer to its
// memory layout, behind a word that says nothing. All-zero memory is the empty cell. One thread.
#pragma once
#include "runtime/batch/batch.h"
#include "runtime/state/heap.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

// What asks for so much never fits: a piece is smaller than 2 GiB.
constexpr uint64_t piece_bytes_max = (uint64_t{1} << 31) - 1;
constexpr uint64_t never_fits_bytes = uint64_t{1} << 62;

// Whether a variable is kept packed: a list, a map, a record, or a T? of one.
bool is_packed(const abi::TypeDesc& type);
// Words of a variable, of the row and of the copy alike.
uint32_t own_words(const abi::TypeDesc& type);
// Bytes of a cell; `result`: of its description, a record of the words.
uint32_t own_size(const abi::TypeDesc& result);

// What of a cell lies in the heap.
struct OwnPiece {
  uint32_t word = 0;                      // the first of two
  int present = -1;                       // the word that says whether it is there; -1: it is
  const abi::TypeDesc* packed = nullptr;  // null: a text
};
// Asked several times an event: `visit` is to be inlined.
template <typename Visit>
void for_each_own_piece(const abi::TypeDesc& result, const Visit& visit) {
  uint32_t word = 0;
  for (const abi::FieldDesc& field : result.fields) {
    const abi::TypeDesc& type = *field.type;
    if (is_packed(type)) {
      visit(OwnPiece{word, -1, &type});
    } else if (word_kind(type) == WordKind::Text) {
      bool optional = type.kind == abi::TypeKind::Optional;
      visit(OwnPiece{word, optional ? static_cast<int>(word + 2) : -1, nullptr});
    }
    word += own_words(type);
  }
}

// A packed piece, or none of its bytes where there is no value, as the value it was, in memory of the arena.
char* unpacked_copy(const MutStr& piece, const abi::TypeDesc& type, batch::Arena& arena);

// The words of a cell as a kernel reads them, in memory of the arena.
void load_own(const CellDesc& desc, const char* cell, const Heap& heap, batch::Arena& arena, uint64_t* words);
// The other way; what the cell held is freed.
void store_own(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* words);
// Bytes by which the heap would grow with `words` in place of what `cell` holds. `cell` may be null: then it
// holds nothing; so may `heap`: then none of it is free.
uint64_t own_growth(const CellDesc& desc, const char* cell, const Heap* heap, const uint64_t* words);
// The words into the memory layout of a record; gives the first, the number of events. What lies outside of
// the record is in memory of the arena.
int64_t write_own(const char* cell, const abi::TypeDesc& type, const Heap& heap, batch::Arena& arena,
                  char* out);

// As their namesakes in state/cells. Two that hold events can be joined by a kernel alone: here they become
// an error.
void free_own(const CellDesc& desc, char* cell, Heap& heap);
void merge_own(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap);

}  // namespace mut::state
