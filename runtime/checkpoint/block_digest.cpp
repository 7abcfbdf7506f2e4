#include "runtime/checkpoint/block_digest.h"

#include <cstring>

namespace mut::checkpoint {
namespace {

uint64_t word_at(const char* at) {
  uint64_t out;
  memcpy(&out, at, 8);
  return out;
}

// Both halves of the product, folded: as wyhash mixes.
uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

BlockDigest digest_of(std::string_view block, const DigestKey& key) {
  BlockDigest out{key[0] ^ block.size(), key[1] ^ (block.size() << 1)};
  const char* at = block.data();
  size_t left = block.size();
  for (; left >= 16; at += 16, left -= 16) {
    uint64_t a = word_at(at);
    uint64_t b = word_at(at + 8);
    out.low = mix(a ^ key[2] ^ out.low, b ^ key[0]);
    out.high = mix(b ^ key[3] ^ out.high, a ^ key[1]) + out.low;
  }
  char rest[16] = {};
  memcpy(rest, at, left);
  out.low = mix(word_at(rest) ^ key[2] ^ out.low, word_at(rest + 8) ^ key[0]);
  out.high = mix(word_at(rest + 8) ^ key[3] ^ out.high, word_at(rest) ^ key[1]) + out.low;
  return out;
}

}  // namespace mut::checkpoint
