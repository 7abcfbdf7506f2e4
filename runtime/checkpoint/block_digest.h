// 128 bits of a block, by which one that is as it was in the checkpoint before is told from one that changed.
// Keyed by numbers drawn for each run, so that no input can be made to collide; never written to disk.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace mut::checkpoint {

using DigestKey = std::array<uint64_t, 4>;

struct BlockDigest {
  uint64_t low = 0;
  uint64_t high = 0;
  friend auto operator<=>(const BlockDigest&, const BlockDigest&) = default;
};

BlockDigest digest_of(std::string_view block, const DigestKey& key);

}  // namespace mut::checkpoint
