// Tags of the rows of a table, one byte each, in groups of 16 that are compared at once: which slot holds a
// key is known, nearly always, before any row is touched. After Kulukundis, "Designing a Fast, Efficient,
// Cache-friendly Hash Table" (CppCon 2017); no tombstones here, see state/keyed_table.
#pragma once
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mut::inl {

constexpr uint32_t group_slots = 16;
constexpr uint8_t tag_free = 0;
constexpr uint8_t tag_closed = 1;  // behind the last slot, in its group
constexpr uint8_t tag_taken = 0x80;

// Bits of the hash that choose neither segment nor group; the lowest is always set.
inline uint8_t tag_of(uint64_t hash) { return static_cast<uint8_t>(tag_taken | ((hash >> 1) & 0x7FU)); }

// Bit i: tag i of the group is `tag`.
inline uint32_t tags_equal(const uint8_t* group, uint8_t tag) {
#if defined(__SSE2__)
  __m128i tags = _mm_loadu_si128(reinterpret_cast<const __m128i*>(group));
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)))));
#else
  uint32_t out = 0;
  for (uint32_t i = 0; i < group_slots; ++i) out |= static_cast<uint32_t>(group[i] == tag) << i;
  return out;
#endif
}

// Bit i: slot i of the group holds a row.
inline uint32_t tags_taken(const uint8_t* group) {
#if defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(group))));
#else
  uint32_t out = 0;
  for (uint32_t i = 0; i < group_slots; ++i) out |= static_cast<uint32_t>(group[i] >> 7) << i;
  return out;
#endif
}

// The group that a key is looked for first; the others follow it.
inline uint64_t home_group(uint64_t hash, uint64_t group_count) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(hash)) * group_count) >> 32;
}

}  // namespace mut::inl
