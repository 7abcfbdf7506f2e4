// Rows that a store gives by itself: the record a result kernel reads.
//   of a window: i32 error (RowError) · keys · one result per cell · window_start · window_end · a bool for
//   each
//                cell of may_overflow(): its result does not fit
//   held:        rank · window_start · window_end · the row
//   of a join:   i32 JoinSide · left record · right record, one of the two
//   of a process: i32 index of the timer that fired · keys
#pragma once
#include <functional>

#include "runtime/batch/batch.h"
#include "runtime/inline/fetch.h"
#include "runtime/state/cells.h"
#include "runtime/state/result_fields.h"

namespace mut::state {

// What keeps a row from being given, by the numbers of typed::EventError.
enum class RowError : int32_t { None = 0, NoValue = 9 };
// A result that does not fit fails the expression that reads it, not the row.
inline bool may_overflow(const CellDesc& cell) {
  return cell.fn == CellFn::IntSum || cell.fn == CellFn::DecimalSum || cell.fn == CellFn::DecimalAvg;
}

// What a row has behind its keys.
inline const std::vector<CellDesc>& results_of(const StoreDesc& desc) {
  return desc.kind == StoreKind::Match || desc.kind == StoreKind::Follow ? desc.measures : desc.cells;
}

// The layout of the rows of a store.
abi::TypeDescRef result_record(const StoreDesc& desc);
// What an error of such a row shows, for it has no one event (rule 4.5): keys · window_start · window_end,
// the two of a window that has edges.
abi::TypeDescRef shown_record(const StoreDesc& desc);

// The rows of a table in order of key. Valid until the table changes.
std::vector<const char*> rows_by_key(const KeyedTable& table);
// Some of them.
std::vector<const char*> sort_by_key(const KeyedTable& table, std::vector<const char*> rows);

// Collects rows. Their texts are copied: they outlive the tables they came from.
class ResultRows {
 public:
  ResultRows(const StoreDesc& desc, batch::Arena& texts)
      : desc_(desc), texts_(texts), record_(result_record(desc)), fields_(lay_out_result(desc, *record_)) {}

  const abi::TypeDesc& record() const { return *record_; }
  void clear();
  // add_table() gives its rows to `take` when there are so many, and goes on with none.
  void in_pieces(size_t rows, std::function<void(const ResultRows&)> take) {
    piece_rows_ = rows;
    take_ = std::move(take);
  }
  // A row of `table`, whose cells are those of the description.
  void add(const KeyedTable& table, const char* row, const uint64_t* key, int64_t start, int64_t end,
           int64_t event_time);
  // All rows of a table in order of key (rule 8.16); `time_of(row)` is the event time of its result.
  template <typename TimeOf>
  void add_table(const KeyedTable& table, int64_t start, int64_t end, TimeOf time_of) {
    add_rows(table, rows_by_key(table), start, end, time_of);
  }
  template <typename TimeOf>
  void add_rows(const KeyedTable& table, const std::vector<const char*>& rows, int64_t start, int64_t end,
                TimeOf time_of) {
    const std::vector<ResultField>& cells = cells_of(table);
    std::vector<uint64_t> texts(desc_.text_mask == 0 ? 0 : desc_.key_words + 1);
    // In order of key is in no order of memory.
    constexpr size_t rows_ahead = 16;
    for (size_t i = 0; i < rows.size();) {
      size_t last =
          take_ && count() < piece_rows_ ? std::min(rows.size(), i + piece_rows_ - count()) : rows.size();
      size_t made = count();
      make_rows(last - i);
      for (; i < last; ++i, ++made) {
        if (i + rows_ahead < rows.size()) inl::fetch_row(rows[i + rows_ahead], table.desc().row_size);
        const auto* key = reinterpret_cast<const uint64_t*>(rows[i] + 8);
        if (!texts.empty()) {
          table.load_key(rows[i], texts.data());
          key = texts.data();
        }
        fill_row(made, table, cells, rows[i], key, start, end, time_of(rows[i]));
      }
      if (take_ && count() == piece_rows_) {
        take_(*this);
        clear();
      }
    }
  }
  // A timer of a key has fired.
  void add_timer(const uint64_t* key, uint32_t timer, int64_t event_time);
  // A row of results that no table holds, one for each of results_of().
  void add_results(const uint64_t* key, const std::vector<CellResult>& results, int64_t event_time);
  // A packed record of one side of a join.
  void add_packed(JoinSide side, const abi::TypeDesc& type, const char* packed, uint64_t bytes,
                  int64_t event_time);
  // A row of HoldRule::record, without its order keys.
  void add_held(const abi::TypeDesc& type, const char* value, int64_t rank, int64_t start, int64_t end,
                int64_t event_time);
  // Sorts the rows from `first_row` on by key: those of one window.
  void sort_by_key(size_t first_row = 0);

  size_t count() const { return times_.size(); }
  // Where texts and lists of its rows lie.
  batch::Arena& texts() { return texts_; }
  const char* rows() const { return rows_.data(); }
  const int64_t* times() const { return times_.data(); }

 private:
  // So many more rows of zeros.
  void make_rows(size_t more);
  // One of them, of a row of `table`.
  void fill_row(size_t index, const KeyedTable& table, const std::vector<ResultField>& cells, const char* row,
                const uint64_t* key, int64_t start, int64_t end, int64_t event_time);
  // Where cells lie in the rows of a table: of a store inside of another they may lie elsewhere.
  const std::vector<ResultField>& cells_of(const KeyedTable& table);
  void fill_keys(const uint64_t* key, char* out);
  RowError fill_by_description(const KeyedTable& table, const CellDesc& cell, const ResultField& field,
                               const char* row, char* out);
  char* begin_row(const uint64_t* key, int64_t event_time);
  void own_text(CellResult& value, WordKind kind);
  void write_packed(const CellResult& piece, const abi::TypeDesc& type, char* out);
  const StoreDesc& desc_;
  batch::Arena& texts_;
  abi::TypeDescRef record_;
  ResultFields fields_;
  std::vector<ResultField> inner_cells_;
  std::vector<char> rows_;
  std::vector<int64_t> times_;
  std::vector<uint64_t> keys_;  // key_words per row
  size_t piece_rows_ = 0;
  std::function<void(const ResultRows&)> take_;
};

int compare_keys(const StoreDesc& desc, const uint64_t* a, const uint64_t* b);

}  // namespace mut::state
