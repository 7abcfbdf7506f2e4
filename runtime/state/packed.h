// A value with the texts and lists it holds as one piece of memory without pointers: it can be copied and
// moved, and is made whole again where it lies.
#pragma once
#include <cstdint>

#include "runtime/abi/type_desc.h"

namespace mut::state {

// Bytes that pack() writes.
uint64_t packed_bytes(const abi::TypeDesc& type, const char* value);
// `out` has packed_bytes(); references in it become offsets from `out`.
void pack(const abi::TypeDesc& type, const char* value, char* out);
// The other way, in place: a value in memory layout, as long as the piece stays where it is.
void unpack(const abi::TypeDesc& type, char* packed);

}  // namespace mut::state
