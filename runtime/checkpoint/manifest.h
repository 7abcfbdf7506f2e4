// What a checkpoint is made of: the one file that makes it count. It is written under another name, synced,
// and renamed into place last; all that it names was durable before.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/checkpoint/data_file.h"

namespace mut::checkpoint {

constexpr uint32_t manifest_format = 3;
// A longer file is none.
constexpr uint64_t manifest_bytes_max = uint64_t{1} << 30;

struct Manifest {
  uint64_t number = 0;
  struct DataFile {
    uint64_t number = 0;
    uint64_t bytes = 0;
    uint32_t digest = 0;
  };
  std::vector<DataFile> files;
  // A block as it was written as a whole, then lines of it that changed from one checkpoint to the next.
  using Block = std::vector<BlockPlace>;
  struct Section {
    std::string name;
    std::vector<Block> blocks;  // in their order
  };
  std::vector<Section> sections;
};

// With a head of 32 bytes: `MUTCKPT`, format, length, and CRC-32C of all.
std::string to_bytes(const Manifest& manifest);
Result<Manifest> parse_manifest(std::string_view bytes);

}  // namespace mut::checkpoint
