// Single values on their way from text to memory.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>

#include "runtime/abi/value.h"

namespace mut::json {

// False when `wide` does not fit in Int; then nothing is stored.
template <typename Int>
bool store_int(int64_t wide, char* to) {
  if (wide < static_cast<int64_t>(std::numeric_limits<Int>::min()) ||
      (sizeof(Int) < 8 && wide > static_cast<int64_t>(std::numeric_limits<Int>::max()))) {
    return false;
  }
  auto narrow = static_cast<Int>(wide);
  memcpy(to, &narrow, sizeof narrow);
  return true;
}

inline bool ends_number(char c) {
  return c == ',' || c == '}' || c == ']' || static_cast<unsigned char>(c) <= ' ';
}

// As abi::make_str, but there are always four bytes to read.
inline MutStr view_of(const char* begin, uint32_t size) {
  MutStr out{size, 0, begin};
  memcpy(&out.prefix, begin, 4);
  if (size < 4) {
    char keep[4] = {};
    memset(keep, 0xff, size);
    uint32_t mask;
    memcpy(&mask, keep, 4);
    out.prefix &= mask;
  }
  return out;
}

}  // namespace mut::json
