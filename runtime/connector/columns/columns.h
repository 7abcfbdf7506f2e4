// Rows that a host hands over as values: a queue of rows, and columns in memory that are replayed.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Rows in memory layout of a record. Threads: push() and finish() from any, take() from one.
class RowQueue {
 public:
  RowQueue(abi::TypeDescRef record, env::EventCount* wake) : record_(std::move(record)), wake_(wake) {}
  const abi::TypeDesc& record() const { return *record_; }
  // `rows` have the layout of the record and follow one another; their texts are copied. All of them come
  // before or after what another thread pushes.
  void push(const char* rows, const int64_t* times_ns, size_t row_count);
  void finish();
  // Moves waiting rows into the batch; the number moved. `ended`: nothing will come any more.
  uint32_t take(batch::Batch& batch, bool& ended);

 private:
  abi::TypeDescRef record_;
  env::EventCount* wake_;
  std::mutex mutex_;
  struct Block {
    std::vector<char> rows;
    std::vector<int64_t> times;
    batch::Arena texts;
    uint64_t taken = 0;
  };
  std::unique_ptr<Block> filled_ = std::make_unique<Block>();  // guarded
  bool finished_ = false;                                      // guarded
  // Of the thread that takes: it empties one block while the other is filled.
  std::unique_ptr<Block> taken_from_ = std::make_unique<Block>();
  uint64_t position_ = 0;
};

std::unique_ptr<SourceReader> make_row_source(std::shared_ptr<RowQueue> queue);

struct ReplayedColumns {
  std::vector<const void*> columns;  // 8-byte values, one per field
  std::vector<int64_t> times;
  uint64_t row_count = 0;
  uint64_t repeat = 1;
  int64_t time_step_ns = 0;  // added to every event time per pass
};

// Hands the columns over as they lie; they stay with the host while the reader lives.
std::unique_ptr<SourceReader> make_column_source(ReplayedColumns columns);

}  // namespace mut::connector
