// The rows used last, found by the key itself: numbers that name things are given one after the other, and
// those of one time lie close together, so their low bits tell them apart. Nothing is hashed, no tag is
// looked at. Where keys are scattered it misses, and the table stops it.
#pragma once
#include <stdint.h>
#include <string.h>

#include "runtime/abi/kernel.h"

namespace mut::inl {

inline char*& recent_place(MutRecent& recent, uint64_t key) {
  return recent.rows[key & (MUT_RECENT_ROWS - 1)];
}

inline char* row_recent(MutRecent* recent, uint64_t key) {
  if (recent == nullptr) return nullptr;
  ++recent->asked;
  char* row = recent_place(*recent, key);
  if (row == nullptr) return nullptr;
  uint64_t stored;
  memcpy(&stored, row + 8, 8);
  return stored == key ? row : nullptr;
}

// After a miss: a row that was there stands in the place of another now. Whether that is so too often.
inline bool meets_often(MutRecent& recent) {
  constexpr uint64_t misses_looked_at = 256;
  if ((++recent.missed & (misses_looked_at - 1)) != 0) return false;
  bool often = recent.missed * 3 > recent.asked;
  recent.missed = 0;
  recent.asked = 0;
  return often;
}

}  // namespace mut::inl
