// Rows of one side of a join by time, the earliest first. Events come nearly in order of time, so the rows
// are a list to which the newest is added; one that comes far behind others waits in a heap of its own, so
// that what is out of order costs only itself. One thread.
#pragma once
#include <algorithm>
#include <deque>
#include <vector>

#include "runtime/state/budget.h"
#include "runtime/state/saved.h"

namespace mut::state {

class LeavingRows {
 public:
  struct Row {
    int64_t time;
    uint64_t node;
    uint64_t hash;  // of its key
  };

  explicit LeavingRows(Budget& budget) : budget_(budget) {}
  ~LeavingRows() { budget_.remove(counted_ * sizeof(Row)); }
  LeavingRows(const LeavingRows&) = delete;
  LeavingRows& operator=(const LeavingRows&) = delete;

  // All as bytes; the other way into an empty one.
  void save(Saver& to) const {
    pass_each(to, in_order_, sizeof(Row), [](Saver& of, const Row& row) { of.value(row); });
    pass_plain(to, stragglers_);
  }
  void load(Loader& from) {
    pass_each(from, in_order_, sizeof(Row), [](Loader& of, Row& row) { of.value(row); });
    pass_plain(from, stragglers_);
    count_ = in_order_.size() + stragglers_.size();
    counted_ = (count_ + piece_rows - 1) / piece_rows * piece_rows;
    budget_.add(counted_ * sizeof(Row));
  }

  bool empty() const { return count_ == 0; }
  // Bytes that the next push() adds to the budget.
  size_t growth_bytes() const { return count_ == counted_ ? piece_rows * sizeof(Row) : 0; }
  // Of those that are not empty.
  const Row& front() const { return straggler_is_first() ? stragglers_.front() : in_order_.front(); }
  // The row that will come to the front after so many others, about; null: there are not so many.
  const Row* behind(size_t rows) const { return rows < in_order_.size() ? &in_order_[rows] : nullptr; }

  void push(const Row& row) {
    if (in_order_.empty() || in_order_.back().time <= row.time) {
      in_order_.push_back(row);
    } else {
      push_behind(row);
    }
    if (count_++ < counted_) return;
    counted_ += piece_rows;
    budget_.add(piece_rows * sizeof(Row));
  }

  void pop() {
    if (straggler_is_first()) {
      std::pop_heap(stragglers_.begin(), stragglers_.end(), is_later);
      stragglers_.pop_back();
    } else {
      in_order_.pop_front();
    }
    // A piece stays in hand, so that a row to and fro counts nothing.
    if (--count_ != 0 && count_ + 2 * piece_rows > counted_) return;
    size_t still = count_ == 0 ? 0 : counted_ - piece_rows;
    budget_.remove((counted_ - still) * sizeof(Row));
    counted_ = still;
  }

 private:
  // Bytes are counted for so many rows at once.
  static constexpr size_t piece_rows = 64;
  // Places by which a row is moved up rather than put aside.
  static constexpr size_t places_max = 32;

  static bool is_later(const Row& a, const Row& b) { return a.time > b.time; }
  bool straggler_is_first() const {
    return !stragglers_.empty() && (in_order_.empty() || stragglers_.front().time < in_order_.front().time);
  }
  void push_behind(const Row& row) {
    size_t count = in_order_.size();
    if (count >= places_max && in_order_[count - places_max].time > row.time) {
      stragglers_.push_back(row);
      std::push_heap(stragglers_.begin(), stragglers_.end(), is_later);
      return;
    }
    in_order_.push_back(row);
    for (; count > 0 && in_order_[count - 1].time > row.time; --count)
      std::swap(in_order_[count - 1], in_order_[count]);
  }

  Budget& budget_;
  std::deque<Row> in_order_;
  std::vector<Row> stragglers_;  // a binary heap, the earliest on top
  size_t count_ = 0;
  size_t counted_ = 0;  // rows whose bytes are in the budget
};

}  // namespace mut::state
