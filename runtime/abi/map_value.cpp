#include "runtime/abi/map_value.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace mut::abi {
namespace {

// Up to here comparing all pairs is cheaper than sorting.
constexpr uint64_t few_entries = 16;

MutStr text_at(const char* from) {
  MutStr out;
  memcpy(&out, from, sizeof(out));
  return out;
}

int compare_keys(const TypeDesc& key, const char* a, const char* b) {
  if (key.kind == TypeKind::String) return view(text_at(a)).compare(view(text_at(b)));
  return memcmp(a, b, key.size);
}

// Of entries that are few: each is looked for among those that stay.
uint64_t unite_few(const TypeDesc& map, char* entries, uint64_t count) {
  const FieldDesc& value = value_field(map);
  uint32_t size = map.element->size;
  uint64_t kept = 0;
  for (uint64_t i = 0; i < count; ++i) {
    char* entry = entries + i * size;
    uint64_t known = 0;
    while (known < kept && !same_key(key_type(map), entries + known * size, entry)) ++known;
    char* place = entries + known * size;
    if (known < kept) {
      memcpy(place + value.offset, entry + value.offset, value.type->size);
    } else {
      if (place != entry) memcpy(place, entry, size);
      ++kept;
    }
  }
  return kept;
}

}  // namespace

bool same_key(const TypeDesc& key, const char* a, const char* b) {
  if (key.kind == TypeKind::String) return equal(text_at(a), text_at(b));
  return memcmp(a, b, key.size) == 0;
}

const char* find_value(const TypeDesc& map, const MutList& entries, const char* key) {
  for (uint64_t i = 0; i < entries.count; ++i) {
    const char* entry = entry_at(map, entries, i);
    if (same_key(key_type(map), entry, key)) return entry + value_field(map).offset;
  }
  return nullptr;
}

std::vector<uint64_t> places_by_key(const TypeDesc& map, const char* entries, uint64_t count) {
  std::vector<uint64_t> out(count);
  std::iota(out.begin(), out.end(), uint64_t{0});
  uint32_t size = map.element->size;
  std::stable_sort(out.begin(), out.end(), [&](uint64_t a, uint64_t b) {
    return compare_keys(key_type(map), entries + a * size, entries + b * size) < 0;
  });
  return out;
}

uint64_t unite_keys(const TypeDesc& map, char* entries, uint64_t count) {
  if (count <= few_entries) return unite_few(map, entries, count);
  const FieldDesc& value = value_field(map);
  uint32_t size = map.element->size;
  std::vector<uint64_t> places = places_by_key(map, entries, count);
  std::vector<char> goes(count);
  bool any = false;
  for (uint64_t first = 0; first < count;) {
    uint64_t end = first + 1;
    while (end < count &&
           same_key(key_type(map), entries + places[first] * size, entries + places[end] * size)) {
      goes[places[end++]] = 1;
      any = true;
    }
    // The sort keeps those of one key in the order in which they came.
    if (end - first > 1)
      memcpy(entries + places[first] * size + value.offset, entries + places[end - 1] * size + value.offset,
             value.type->size);
    first = end;
  }
  if (!any) return count;
  uint64_t kept = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (goes[i] != 0) continue;
    if (kept != i) memcpy(entries + kept * size, entries + i * size, size);
    ++kept;
  }
  return kept;
}

}  // namespace mut::abi
