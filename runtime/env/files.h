// Files as an Env hands them out. Every failure names the file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::env {

// What tells whether a path still names the file that was opened (rotation) and whether it shrank.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  bool regular = false;  // no pipe, terminal or device

  bool same_file(const FileIdentity& other) const { return device == other.device && inode == other.inode; }
};

// One thread at a time. Closed by the destructor.
class InputFile {
 public:
  virtual ~InputFile() = default;
  // Up to `bytes` bytes; 0 at the end. Blocks where the file does (terminals, pipes).
  virtual Result<size_t> read(char* to, size_t bytes) = 0;
  // Whether read() would return at once, waiting at most `timeout_ns`.
  virtual bool ready(int64_t timeout_ns) = 0;
  virtual Result<FileIdentity> identity() = 0;
  // The next byte to be read is that one, from 0 on. Of regular files.
  virtual Status seek(uint64_t offset_bytes) = 0;
};

// One thread at a time. Not buffered here: write() has handed everything to the system when it returns.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  // After a failure written_bytes() tells how much of it was handed over.
  virtual Status write(std::string_view bytes) = 0;
  // Since it was opened.
  virtual uint64_t written_bytes() const = 0;
  // Returns once the bytes survive a loss of power.
  virtual Status sync() = 0;
  // Cuts off what lies behind that many bytes. Of pipes and devices nothing is taken.
  virtual Status truncate(uint64_t size_bytes) = 0;
  // Fails when another process, or another file object of this one, has it locked. Until close().
  virtual Status lock() = 0;
  // Says what the destructor cannot: whether the last bytes arrived. Nothing may follow.
  virtual Status close() = 0;
};

enum class OpenMode : uint8_t {
  Replace,  // empties what was there
  Append,
  CreateNew,  // fails if it exists
};

}  // namespace mut::env
