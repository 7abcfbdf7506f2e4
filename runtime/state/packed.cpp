#include "runtime/state/packed.h"

#include <cstring>

#include "runtime/abi/value.h"

namespace mut::state {
namespace {

using abi::TypeKind;

uint64_t aligned(uint64_t bytes) { return (bytes + 7) & ~uint64_t{7}; }

template <typename T>
T read(const char* from) {
  T out;
  memcpy(&out, from, sizeof(out));
  return out;
}

// Bytes behind the value itself.
uint64_t outside_bytes(const abi::TypeDesc& type, const char* value) {
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
      return aligned(read<MutStr>(value).size);
    case TypeKind::Optional:
      return value[type.present_offset] == 0 ? 0 : outside_bytes(*type.element, value);
    case TypeKind::List:
    case TypeKind::Map: {
      auto list = read<MutList>(value);
      uint64_t out = aligned(list.count * type.element->size);
      if (!abi::has_references(*type.element)) return out;
      for (uint64_t i = 0; i < list.count; ++i)
        out += outside_bytes(*type.element, static_cast<const char*>(list.data) + i * type.element->size);
      return out;
    }
    case TypeKind::Record: {
      uint64_t out = 0;
      for (const abi::FieldDesc& field : type.fields) out += outside_bytes(*field.type, value + field.offset);
      return out;
    }
    default:
      return 0;
  }
}

// What the value at `slot` of the piece refers to goes to `next` and on.
void move_in(const abi::TypeDesc& type, char* slot, char* piece, uint64_t& next) {
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json: {
      auto text = read<MutStr>(slot);
      if (text.size > 0) memcpy(piece + next, text.data, text.size);
      uint64_t at = next;
      memcpy(slot + offsetof(MutStr, data), &at, sizeof(at));
      next += aligned(text.size);
      return;
    }
    case TypeKind::Optional:
      if (slot[type.present_offset] != 0) move_in(*type.element, slot, piece, next);
      return;
    case TypeKind::List:
    case TypeKind::Map: {
      auto list = read<MutList>(slot);
      uint64_t at = next;
      uint64_t bytes = list.count * type.element->size;
      if (bytes > 0) memcpy(piece + at, list.data, bytes);
      memcpy(slot + offsetof(MutList, data), &at, sizeof(at));
      next += aligned(bytes);
      if (!abi::has_references(*type.element)) return;
      for (uint64_t i = 0; i < list.count; ++i)
        move_in(*type.element, piece + at + i * type.element->size, piece, next);
      return;
    }
    case TypeKind::Record:
      for (const abi::FieldDesc& field : type.fields) move_in(*field.type, slot + field.offset, piece, next);
      return;
    default:
      return;
  }
}

void point(const abi::TypeDesc& type, char* slot, char* piece) {
  auto pointer_at = [&](size_t offset) {
    char* pointer = piece + read<uint64_t>(slot + offset);
    memcpy(slot + offset, &pointer, sizeof(pointer));
    return pointer;
  };
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
      pointer_at(offsetof(MutStr, data));
      return;
    case TypeKind::Optional:
      if (slot[type.present_offset] != 0) point(*type.element, slot, piece);
      return;
    case TypeKind::List:
    case TypeKind::Map: {
      auto count = read<MutList>(slot).count;
      char* elements = pointer_at(offsetof(MutList, data));
      if (!abi::has_references(*type.element)) return;
      for (uint64_t i = 0; i < count; ++i) point(*type.element, elements + i * type.element->size, piece);
      return;
    }
    case TypeKind::Record:
      for (const abi::FieldDesc& field : type.fields) point(*field.type, slot + field.offset, piece);
      return;
    default:
      return;
  }
}

}  // namespace

uint64_t packed_bytes(const abi::TypeDesc& type, const char* value) {
  return aligned(type.size) + outside_bytes(type, value);
}

void pack(const abi::TypeDesc& type, const char* value, char* out) {
  memcpy(out, value, type.size);
  uint64_t next = aligned(type.size);
  move_in(type, out, out, next);
}

void unpack(const abi::TypeDesc& type, char* packed) { point(type, packed, packed); }

}  // namespace mut::state
