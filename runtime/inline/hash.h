// Keyed hash of keys: folded 64×64→128 bit products, as in wyhash (Wang Yi, public domain).
#pragma once
#include <stdint.h>
#include <string.h>

#include "runtime/abi/value.h"

namespace mut::inl {

inline uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_bytes(const char* data, uint32_t size, uint64_t seed) {
  uint64_t hash = seed ^ 0x9E3779B97F4A7C15ULL ^ size;
  uint32_t at = 0;
  for (; at + 8 <= size; at += 8) {
    uint64_t word;
    memcpy(&word, data + at, 8);
    hash = fold(hash ^ word, 0xE7037ED1A0B428DBULL);
  }
  if (at < size) {
    uint64_t word = 0;
    memcpy(&word, data + at, size - at);
    hash = fold(hash ^ word, 0xE7037ED1A0B428DBULL);
  }
  return fold(hash ^ 0x8EBC6AF09C88C6E3ULL, seed | 1);
}

// `words` of a key; bit i of `text_mask` says that words i and i + 1 are a MutStr. Never 0.
inline uint64_t hash_key(const uint64_t* key, uint32_t words, uint64_t text_mask, uint64_t seed) {
  uint64_t hash = seed;
  for (uint32_t i = 0; i < words; ++i) {
    uint64_t word = key[i];
    if ((text_mask >> i & 1U) != 0) {
      MutStr text;
      memcpy(&text, key + i, sizeof(text));
      word = hash_bytes(text.data, text.size, seed);
      ++i;
    }
    hash = fold(hash ^ word, 0xA0761D6478BD642FULL);
    hash ^= hash >> 32;
  }
  return hash | 1;
}

// One of `shards`, each for as many hashes. By the top bits.
inline uint32_t shard_of(uint64_t hash, uint32_t shards) {
  return static_cast<uint32_t>(((hash >> 32) * shards) >> 32);
}

}  // namespace mut::inl
