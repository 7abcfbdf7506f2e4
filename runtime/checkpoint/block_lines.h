// What a block is made of, in lines of 64 bytes: by 64 bits of each line is told which lines changed since
// the checkpoint before, and by 128 bits of all whether any did. Keyed by numbers drawn for each run, so that
// no input can be made to collide; never written to disk.
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"

namespace mut::checkpoint {

using DigestKey = std::array<uint64_t, 4>;

struct BlockDigest {
  uint64_t low = 0;
  uint64_t high = 0;
  friend auto operator<=>(const BlockDigest&, const BlockDigest&) = default;
};

struct BlockLines {
  size_t bytes = 0;
  std::vector<uint64_t> lines;
  BlockDigest digest{};
};

BlockLines lines_of(std::string_view block, const DigestKey& key);

// The lines of `block` that are others than in `before`: a bit a line, then those lines. Nothing where that
// is more than half of the block, or `before` has other bytes or does not know its lines.
std::optional<std::string> changed_lines(std::string_view block, const BlockLines& now,
                                         const BlockLines& before);
// The block of `bytes` at `block` gets the lines of one of those. Fails where it is none of such a block.
Status put_lines(std::string_view changed, char* block, size_t bytes);

}  // namespace mut::checkpoint
