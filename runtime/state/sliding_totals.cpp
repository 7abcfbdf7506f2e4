#include "runtime/state/sliding_totals.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/abi/check.h"
#include "runtime/abi/deliberate.h"
#include "runtime/inline/table.h"
#include "runtime/state/cells.h"

namespace mut::state {
namespace {

uint64_t hash_of(const char* row) {
  uint64_t out;
  memcpy(&out, row, 8);
  return out;
}

void take_out_cell(const CellDesc& cell, char* from, const char* less) {
  if (cell.fn == CellFn::Count) {
    cell_as<inl::CountCell>(from).count -= cell_as<inl::CountCell>(less).count;
    return;
  }
  auto& sum = cell_as<inl::IntSumCell>(from);
  inl::store(sum, inl::value(sum) - inl::value(cell_as<inl::IntSumCell>(less)));
}

void add_cell(const CellDesc& cell, char* to, const char* more) {
  if (cell.fn == CellFn::Count) {
    cell_as<inl::CountCell>(to).count += cell_as<inl::CountCell>(more).count;
    return;
  }
  inl::merge(cell_as<inl::IntSumCell>(to), cell_as<inl::IntSumCell>(more));
}

}  // namespace

bool SlidingTotals::can_take_out(const StoreDesc& desc) {
  return std::all_of(desc.cells.begin(), desc.cells.end(), [](const CellDesc& cell) {
    return cell.fn == CellFn::Count || cell.fn == CellFn::IntSum;
  });
}

void SlidingTotals::count_in_full() { budget_.engine().left(std::exchange(leaving_, 0)); }

void SlidingTotals::forget() {
  table_.reset();
  most_rows_ = 0;
  count_in_full();
}

void SlidingTotals::settle() {
  constexpr uint64_t few_rows = 4096;
  constexpr uint64_t room_to_spare = 8;
  count_in_full();
  bool is_wide = most_rows_ > few_rows && table_->row_count() * room_to_spare < most_rows_;
  if (table_->row_count() == 0 || is_wide || !budget_.fits(0)) return forget();
  leaving_ = own_.used();
  budget_.engine().leave(leaving_);
}

const KeyedTable* SlidingTotals::move_to(int64_t start, int64_t end, const Panes& panes) {
  if (table_ && (start < from_ || end < to_ || start >= to_)) forget();
  leave_before(start, panes);
  if (!table_) {
    table_ = std::make_unique<KeyedTable>(desc_, desc_.row_size + 8, desc_.key_words, desc_.text_mask, seed_,
                                          own_);
    from_ = to_ = start;
  }
  auto last = panes.lower_bound(end);
  for (auto pane = panes.lower_bound(to_); pane != last; ++pane) {
    if (!add(*pane->second)) {
      forget();
      return nullptr;
    }
  }
  to_ = end;
  most_rows_ = std::max(most_rows_, table_->row_count());
  return table_.get();
}

void SlidingTotals::leave_before(int64_t start, const Panes& panes) {
  if (!table_ || start <= from_) return;
  auto last = panes.lower_bound(std::min(start, to_));
  for (auto pane = panes.lower_bound(from_); pane != last; ++pane) {
    if (!MUT_DELIBERATE_FAULT(sliding_keeps_pane)) take_out(*pane->second);
  }
  from_ = start;
  settle();
}

bool SlidingTotals::add(const KeyedTable& pane) {
  std::vector<uint64_t> key(desc_.key_words + size_t{1});
  bool all = true;
  pane.for_each([&](const char* row) {
    if (!all) return;
    pane.load_key(row, key.data());
    char* to = table_->find_or_insert(key.data(), hash_of(row));
    all = to != nullptr;
    if (!all) return;
    for (const CellDesc& cell : desc_.cells) add_cell(cell, to + cell.offset, row + cell.offset);
    ++panes_of(to);
  });
  return all;
}

void SlidingTotals::take_out(const KeyedTable& pane) {
  std::vector<uint64_t> key(desc_.key_words + size_t{1});
  pane.for_each([&](const char* row) {
    pane.load_key(row, key.data());
    char* from = table_->find(key.data(), hash_of(row));
    MUT_CHECK(from != nullptr, "a group of a pane is in the totals of its window");
    for (const CellDesc& cell : desc_.cells) take_out_cell(cell, from + cell.offset, row + cell.offset);
    if (--panes_of(from) == 0) table_->erase(from);
  });
}

}  // namespace mut::state
