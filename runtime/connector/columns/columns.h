// Rows that a host hands over as values: a queue of rows, and columns in memory that are replayed.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Rows in memory layout of a record. Threads: push() and finish() from any.
class RowQueue {
 public:
  RowQueue(abi::TypeDescRef record, env::EventCount* wake) : record_(std::move(record)), wake_(wake) {}
  const abi::TypeDesc& record() const { return *record_; }
  // `row` has the layout of the record; its texts are copied.
  void push(const char* row, int64_t time_ns);
  void finish();
  // Moves waiting rows into the batch; the number moved. `ended`: nothing will come any more.
  uint32_t take(batch::Batch& batch, bool& ended);

 private:
  abi::TypeDescRef record_;
  env::EventCount* wake_;
  std::mutex mutex_;
  std::vector<char> rows_;
  std::vector<int64_t> times_;
  batch::Arena texts_;
  uint64_t taken_ = 0;
  uint64_t position_ = 0;
  bool finished_ = false;
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
