// Owns the memory of one batch: columns, arena for decoded text, the read buffer rows point into.
#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/batch.h"
#include "runtime/abi/type_desc.h"

namespace mut::batch {

// Bump allocation, freed as a whole. Blocks are kept over reset() so that steady use allocates nothing.
// One thread at a time.
class Arena {
 public:
  // Aligned to 8 bytes.
  void* allocate(size_t bytes) {
    size_t aligned = (bytes + 7) & ~size_t{7};
    if (aligned > static_cast<size_t>(end_ - next_)) return allocate_slow(aligned);
    void* out = next_;
    next_ += aligned;
    return out;
  }
  // The same, of what is likely to get longer: where it needs a block, with as much room again behind it.
  void* allocate_growing(size_t bytes);
  // Makes the newest piece longer, which ends at `end`: nobody sees yet what lies behind it. False, and
  // nothing happened, where another piece is the newest or there is no room.
  bool extend(const void* end, size_t bytes) {
    size_t aligned = (bytes + 7) & ~size_t{7};
    if (end != next_ || aligned > static_cast<size_t>(end_ - next_)) return false;
    next_ += aligned;
    return true;
  }
  // Where the next piece will lie. What was allocated since such a mark can be let go together.
  struct Mark {
    size_t block_index = 0;
    size_t used_bytes = 0;
    char* next = nullptr;
    char* end = nullptr;
  };
  Mark mark() const { return {block_index_, used_bytes_, next_, end_}; }
  // `to` was given since the last reset(); nothing reads any more what was allocated since.
  void rewind(const Mark& to) {
    block_index_ = to.block_index;
    used_bytes_ = to.used_bytes;
    next_ = to.next;
    end_ = to.end;
  }
  MutStr copy(std::string_view text);
  void reset();
  size_t bytes() const { return bytes_; }
  // Of the blocks that were begun since the last reset().
  size_t used_bytes() const { return used_bytes_; }

 private:
  void* allocate_slow(size_t bytes);
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t size;
  };
  std::vector<Block> blocks_;
  size_t block_index_ = 0;
  size_t bytes_ = 0;
  size_t used_bytes_ = 0;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

// A buffer that rows of several batches may point into; ends with 64 zero bytes of slack.
struct ReadBuffer {
  static constexpr size_t slack_bytes = 64;
  explicit ReadBuffer(size_t capacity_bytes)
      : memory(new char[capacity_bytes + slack_bytes]), capacity(capacity_bytes) {}
  std::unique_ptr<char[]> memory;
  size_t capacity;
};

// Which declared fields are stored; all declared fields are checked whatever this says.
using NeededColumns = std::vector<char>;

class Batch {
 public:
  // `record` is the declared record of the source. Memory for `row_capacity` rows of the needed columns.
  Batch(abi::TypeDescRef record, const NeededColumns& needed, uint32_t row_capacity);

  // Empties the batch for reuse.
  void clear();

  uint32_t row_capacity() const { return row_capacity_; }
  uint32_t row_count() const { return view_.row_count; }
  const abi::TypeDesc& record() const { return *record_; }
  const abi::TypeDescRef& shared_record() const { return record_; }
  const NeededColumns& needed() const { return needed_; }

  // Memory of column `field`; null when not needed.
  void* values(size_t field) { return columns_[field].values; }
  uint8_t* valid(size_t field) { return columns_[field].valid; }
  int64_t* times() { return times_.data(); }
  Arena& arena() { return arena_; }

  // Completes the next row: all needed columns and times()[row_count()] were written before.
  void finish_row(MutOrigin origin) {
    origins_[view_.row_count] = origin;
    ++view_.row_count;
  }
  // Columns and times that lie with the host and stay there: row 0 of the batch is at `values`. Until
  // clear(). The rows are completed by finish_rows(), which keeps no origins. `shift` is added to each time.
  void borrow_values(size_t field, const void* values) { columns_[field].values = const_cast<void*>(values); }
  void borrow_times(const int64_t* times, int64_t shift) {
    borrowed_times_ = times;
    view_.time_shift = shift;
  }
  void finish_rows(uint32_t row_count);
  // Copies borrowed times, for who computes event times in place.
  void own_times();
  // Completes the next row as one that could not be decoded.
  void finish_bad_row(MutOrigin origin, std::string_view code, std::string_view message);

  void set_first_position(uint64_t position) { view_.first_position = position; }
  // When its rows arrived, nanoseconds since the epoch; the shard's clock where nobody says.
  void set_arrival(int64_t arrival_ns) {
    view_.arrival = arrival_ns;
    has_arrival_ = true;
  }
  bool has_arrival() const { return has_arrival_; }
  void set_input_name(std::string_view name) { view_.input_name = arena_.copy(name); }
  // Keeps the buffer alive until clear(): rows point into it.
  void hold(std::shared_ptr<ReadBuffer> buffer) { held_.push_back(std::move(buffer)); }

  // Valid until the next change of the batch.
  const MutBatch& view();

 private:
  abi::TypeDescRef record_;
  NeededColumns needed_;
  uint32_t row_capacity_;
  std::vector<MutColumn> columns_;
  std::vector<std::unique_ptr<char[]>> memory_;
  std::vector<void*> own_values_;  // by field: what borrow_values() hides
  std::vector<int64_t> times_;
  const int64_t* borrowed_times_ = nullptr;
  bool has_origins_ = true;
  bool has_arrival_ = false;
  std::vector<uint8_t> bad_;
  std::vector<MutDecodeError> errors_;
  std::vector<MutOrigin> origins_;
  std::vector<std::shared_ptr<ReadBuffer>> held_;
  Arena arena_;
  MutBatch view_{};
};

}  // namespace mut::batch
