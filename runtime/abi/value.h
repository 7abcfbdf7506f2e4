// How values lie in memory, the same for kernels, stores, codecs and hosts. C structs, no owners.
//
//   bool 1 byte (0 or 1) · i8…u64, f32, f64 natural · int, time, duration i64 · enum i32 (index)
//   decimal i128, its units, aligned to 8 · string, bytes, json text: MutStr · list, map: MutList · T?: the
//   T, then one byte `present`, padded to the alignment of T · record: its fields in order, each aligned,
//   padded to the largest alignment
#pragma once
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#include <string_view>
extern "C" {
#endif

// Text or bytes: a view, never an owner. `prefix` holds the first four bytes (zero padded, in memory
// order), so that most unequal texts differ in the first eight bytes of the struct.
typedef struct MutStr {
  uint32_t size;  // bytes
  uint32_t prefix;
  const char* data;  // not null-terminated; may be null when size is 0
} MutStr;

// A list: `count` elements of the element's layout, one after another.
typedef struct MutList {
  uint64_t count;
  const void* data;
} MutList;

#ifdef __cplusplus
}

namespace mut::abi {

// A kernel refuses to run under another number.
constexpr uint32_t abi_number = 9;

inline MutStr make_str(const char* data, uint32_t size) {
  MutStr out{size, 0, data};
  // Not one memcpy of a length that is not known: that would be a call. And `data` may be null at size 0.
  if (size >= 4) {
    memcpy(&out.prefix, data, 4);
  } else {
    char bytes[4] = {};
    for (uint32_t i = 0; i < size; ++i) bytes[i] = data[i];
    memcpy(&out.prefix, bytes, 4);
  }
  return out;
}
inline MutStr make_str(std::string_view text) {
  return make_str(text.data(), static_cast<uint32_t>(text.size()));
}
inline std::string_view view(MutStr text) { return {text.data, text.size}; }

inline bool equal(MutStr a, MutStr b) {
  return a.size == b.size && a.prefix == b.prefix &&
         (a.size <= 4 || memcmp(a.data + 4, b.data + 4, a.size - 4) == 0);
}

}  // namespace mut::abi
#endif
