// Maps: their entries { key, value } in the order in which the keys came first, no key twice.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/abi/type_desc.h"
#include "runtime/abi/value.h"

namespace mut::abi {

inline const TypeDesc& key_type(const TypeDesc& map) { return *map.element->fields[0].type; }
inline const FieldDesc& value_field(const TypeDesc& map) { return map.element->fields[1]; }

inline const char* entry_at(const TypeDesc& map, const MutList& entries, uint64_t index) {
  return static_cast<const char*>(entries.data) + index * map.element->size;
}

// The value of `key`, or null. Looks at one entry after the other.
const char* find_value(const TypeDesc& map, const MutList& entries, const char* key);

// Of entries in which keys may come again: the first of each key stays, with the value that came last.
// Returns how many are left, at the beginning of `entries`.
uint64_t unite_keys(const TypeDesc& map, char* entries, uint64_t count);

// The places of the entries by one order of keys, whatever it is; for comparing maps.
std::vector<uint64_t> places_by_key(const TypeDesc& map, const char* entries, uint64_t count);
bool same_key(const TypeDesc& key, const char* a, const char* b);

}  // namespace mut::abi
