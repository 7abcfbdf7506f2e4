// Rows of a table of an older version that a table takes over: each when its key comes, the others a piece at
// a time. So an edit of a large state does not hold events back for as long as all of it takes.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace mut::state {

class KeyedTable;

// How a row becomes one of the new table.
struct TakeOver {
  std::function<bool(const char* old_row)> lives;                // whether it is one still
  std::function<void(const char* old_row, char* made)> convert;  // `made` has its key, and cells of zeros
};

// Of a table: the number of the segment, and the slot in it.
struct RowPlace {
  uint32_t segment = 0;
  uint32_t slot = 0;
};

// One thread. What the new table has, or once had, is marked here: the old table may be kept for an undo.
class Backlog {
 public:
  // Keys have the same words in both tables. `from` outlives this, and does not change.
  Backlog(const KeyedTable& from, TakeOver take_over);
  uint64_t left() const { return left_; }
  // The row for `key` was made in the new table just now.
  void give(const uint64_t* key, char* made);
  // Whether there is a row of that key that is not there yet.
  bool has(const uint64_t* key) const;
  // So many of the rows that are left, into `to`, which has room for them whatever the budget says: they were
  // there before. Fewer where a segment of the old table ends. How many.
  uint64_t give_rows(KeyedTable& to, uint64_t most);

 private:
  bool is_given(RowPlace at) const;
  void mark(RowPlace at);

  const KeyedTable& from_;
  TakeOver take_over_;
  uint64_t left_;
  size_t segment_ = 0;                    // the next
  std::vector<std::vector<bool>> given_;  // by segment and slot; empty: none of that segment
};

}  // namespace mut::state
