// Files of blocks: what a checkpoint holds, in `data-N` of the state directory. A file is written once, by
// the checkpoint of that number; later ones name blocks of it that have not changed, or add the lines that
// have.
//
// File: a head of 16 bytes (`MUTSTATE`, format, CRC of both), then blocks. Block: a head of 32 bytes (length,
// epoch, kind, CRC of head and payload), then the payload.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"
#include "runtime/state/spilled_bytes.h"

namespace mut::checkpoint {

constexpr uint32_t data_format = 2;

// Where a block lies.
struct BlockPlace {
  uint64_t file = 0;    // number of the data file
  uint64_t offset = 0;  // of its head
  uint64_t bytes = 0;   // of the payload
};

// A block, or lines of one that changed (block_lines.h).
enum class BlockKind : uint32_t { Whole = 0x4b4c4231, Lines = 0x4e494c31 };

class DataFileWriter {
 public:
  // Fails where such a file is there.
  static Result<std::unique_ptr<DataFileWriter>> create(env::Env& env, std::string path, uint64_t number);
  Result<BlockPlace> add(BlockKind kind, std::string_view payload);
  // All of it survives a loss of power when this returns; it is tried once.
  Status finish();
  uint64_t number() const { return number_; }
  uint64_t bytes() const { return bytes_; }
  uint32_t digest() const { return digest_; }  // CRC of the whole file

 private:
  DataFileWriter(env::Env& env, std::unique_ptr<env::OutputFile> file, uint64_t number)
      : env_(env), file_(std::move(file)), number_(number) {}
  // `crc`: of those bytes.
  Status put(std::string_view bytes, uint32_t crc);
  env::Env& env_;
  std::unique_ptr<env::OutputFile> file_;
  uint64_t number_;
  uint64_t bytes_ = 0;
  uint32_t digest_ = 0;
};

// A whole data file; `spill`, where it lies, may be null. Fails where it is not, to the last bit, the file of
// that length and digest.
Result<state::SpilledBytes> read_data_file(env::Env& env, const std::string& path, uint64_t bytes,
                                           uint32_t digest, const std::shared_ptr<state::Spill>& spill);
// The payload of a block of such a file; a view of `file`.
Result<std::string_view> block_in(std::string_view file, BlockKind kind, const BlockPlace& place);

// All bytes of a file; fails where it has more than `most`.
Result<std::string> read_whole_file(env::Env& env, const std::string& path, uint64_t most);

}  // namespace mut::checkpoint
