// Rows that a window gives when it closes: the record a result kernel reads.
//   i32 error (0: fine, else an EventError) · keys · one result per cell · window_start · window_end
#pragma once
#include "runtime/batch/batch.h"
#include "runtime/state/cells.h"

namespace mut::state {

// The layout of the rows of a store.
abi::TypeDescRef result_record(const StoreDesc& desc);

// Collects rows. Their texts are copied: they outlive the tables they came from.
class ResultRows {
 public:
  ResultRows(const StoreDesc& desc, batch::Arena& texts)
      : desc_(desc), texts_(texts), record_(result_record(desc)) {}

  const abi::TypeDesc& record() const { return *record_; }
  void clear();
  // A row of `table`, whose cells are those of the description.
  void add(const KeyedTable& table, const char* row, const uint64_t* key, int64_t start, int64_t end,
           int64_t event_time);
  // Sorts the rows from `first_row` on by key (rule 8.16): those of one window.
  void sort_by_key(size_t first_row = 0);

  size_t count() const { return times_.size(); }
  const char* rows() const { return rows_.data(); }
  const int64_t* times() const { return times_.data(); }

 private:
  void own_text(CellResult& value, WordKind kind);
  const StoreDesc& desc_;
  batch::Arena& texts_;
  abi::TypeDescRef record_;
  std::vector<char> rows_;
  std::vector<int64_t> times_;
  std::vector<uint64_t> keys_;  // key_words per row
};

int compare_keys(const StoreDesc& desc, const uint64_t* a, const uint64_t* b);

}  // namespace mut::state
