#include "runtime/state/own_cells.h"

#include <algorithm>
#include <cstring>

#include "runtime/state/cells.h"
#include "runtime/state/packed.h"
#include "runtime/state/results.h"

namespace mut::state {
namespace {

const char* value_at(const uint64_t* words) {
  const char* out;
  memcpy(&out, words + 1, sizeof(out));
  return out;
}

bool is_there(const uint64_t* words, const OwnPiece& piece) {
  return words[0] != 0 && (piece.present < 0 || words[piece.present] != 0);
}

// Of a copy.
uint64_t bytes_of(const uint64_t* words, const OwnPiece& piece) {
  if (piece.packed != nullptr) return packed_bytes(*piece.packed, value_at(words + piece.word));
  return text_of(words + piece.word).size;
}

char* unpacked(const MutStoredStr& stored, const abi::TypeDesc& type, const Heap& heap, batch::Arena& arena) {
  return unpacked_copy(heap.load(stored), type, arena);
}

}  // namespace

char* unpacked_copy(const MutStr& piece, const abi::TypeDesc& type, batch::Arena& arena) {
  auto* out =
      static_cast<char*>(arena.allocate(std::max<size_t>(piece.size, std::max<size_t>(type.size, 8))));
  if (piece.size == 0) memset(out, 0, type.size);
  if (piece.size > 0) memcpy(out, piece.data, piece.size);
  unpack(type, out);
  return out;
}

bool is_packed(const abi::TypeDesc& type) {
  switch (type.kind) {
    case abi::TypeKind::List:
    case abi::TypeKind::Map:
    case abi::TypeKind::Record:
      return true;
    case abi::TypeKind::Optional:
      return is_packed(*type.element);
    default:
      return false;
  }
}

uint32_t own_words(const abi::TypeDesc& type) {
  if (is_packed(type)) return 2;
  return word_count(word_kind(type)) + (type.kind == abi::TypeKind::Optional ? 1 : 0);
}

uint32_t own_size(const abi::TypeDesc& result) {
  uint32_t words = 0;
  for (const abi::FieldDesc& field : result.fields) words += own_words(*field.type);
  return words * 8;
}

void load_own(const CellDesc& desc, const char* cell, const Heap& heap, batch::Arena& arena,
              uint64_t* words) {
  memcpy(words, cell, desc.size);
  for_each_own_piece(*desc.result, [&](const OwnPiece& piece) {
    if (!is_there(words, piece)) return;
    MutStoredStr stored = stored_of(words + piece.word);
    if (piece.packed == nullptr) {
      MutStr text = arena.copy(abi::view(heap.load(stored)));
      memcpy(words + piece.word, &text, sizeof(text));
      return;
    }
    const char* value = unpacked(stored, *piece.packed, heap, arena);
    words[piece.word] = 0;
    memcpy(words + piece.word + 1, &value, sizeof(value));
  });
}

void store_own(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* words) {
  free_own(desc, cell, heap);
  memcpy(cell, words, desc.size);
  auto* kept = reinterpret_cast<uint64_t*>(cell);
  for_each_own_piece(*desc.result, [&](const OwnPiece& piece) {
    if (!is_there(kept, piece)) return;
    MutStoredStr stored{0, 0, 0};
    if (piece.packed == nullptr) {
      stored = heap.store(abi::view(text_of(words + piece.word)));
    } else if (uint64_t bytes = bytes_of(words, piece); bytes > 0) {
      stored.size = static_cast<uint32_t>(bytes);
      stored.offset = heap.allocate(bytes);
      pack(*piece.packed, value_at(words + piece.word), heap.at(stored.offset));
    }
    memcpy(kept + piece.word, &stored, sizeof(stored));
  });
}

uint64_t own_growth(const CellDesc& desc, const char* cell, const Heap* heap, const uint64_t* words) {
  const auto* kept = reinterpret_cast<const uint64_t*>(cell);
  uint64_t out = 0;
  for_each_own_piece(*desc.result, [&](const OwnPiece& piece) {
    if (!is_there(words, piece)) return;
    uint64_t bytes = bytes_of(words, piece);
    uint64_t held =
        kept != nullptr && is_there(kept, piece) ? uint64_t{stored_of(kept + piece.word).size} : 0;
    out += bytes > piece_bytes_max ? never_fits_bytes
           : heap != nullptr       ? heap->growth(bytes, held)
                                   : Heap::rounded(bytes);
  });
  return std::min(out, never_fits_bytes);
}

int64_t write_own(const char* cell, const abi::TypeDesc& type, const Heap& heap, batch::Arena& arena,
                  char* out) {
  int64_t events = 0;
  memcpy(&events, cell, 8);
  for (const abi::FieldDesc& field : type.fields) {
    const auto* words = reinterpret_cast<const uint64_t*>(cell);
    cell += own_words(*field.type) * 8U;
    char* target = out + field.offset;
    if (is_packed(*field.type)) {
      memset(target, 0, field.type->size);
      if (events <= 0) continue;
      memcpy(target, unpacked(stored_of(words), *field.type, heap, arena), field.type->size);
      continue;
    }
    CellResult value;
    WordKind kind = word_kind(*field.type);
    memcpy(value.words, words, word_count(kind) * 8U);
    if (field.type->kind == abi::TypeKind::Optional) value.present = words[word_count(kind)] != 0;
    if (kind == WordKind::Text) {
      MutStr text{0, 0, ""};
      if (events > 0 && value.present) text = arena.copy(abi::view(heap.load(stored_of(words))));
      memcpy(value.words, &text, sizeof(text));
    }
    write_result(value, *field.type, target);
  }
  return events;
}

void free_own(const CellDesc& desc, char* cell, Heap& heap) {
  auto* words = reinterpret_cast<uint64_t*>(cell);
  if (words[0] == 0) return;
  for_each_own_piece(*desc.result, [&](const OwnPiece& piece) {
    if (is_there(words, piece)) heap.free(stored_of(words + piece.word));
  });
}

void merge_own(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap) {
  auto* words = reinterpret_cast<uint64_t*>(cell);
  const auto* more = reinterpret_cast<const uint64_t*>(other);
  if (more[0] == 0) return;
  if (words[0] != 0) {
    free_own(desc, cell, heap);
    memset(cell, 0, desc.size);
    words[0] = static_cast<uint64_t>(-static_cast<int64_t>(RowError::NoValue));
    return;
  }
  memcpy(cell, other, desc.size);
  // A packed piece has no pointers: it is copied as a text is.
  for_each_own_piece(*desc.result, [&](const OwnPiece& piece) {
    if (!is_there(more, piece)) return;
    MutStoredStr stored = heap.store(abi::view(other_heap.load(stored_of(more + piece.word))));
    memcpy(words + piece.word, &stored, sizeof(stored));
  });
}

}  // namespace mut::state
