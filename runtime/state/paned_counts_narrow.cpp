// Panes of count windows that become narrow, and that are so no longer.
#include <cstring>

#include "runtime/state/paned_counts.h"

namespace mut::state {

// As other panes are, for an event that comes out of order.
void PanedCountStore::widen(char* row) {
  Queue& queue = queue_of(row);
  Queue wide = queue;
  wide.is_narrow = 0;
  wide.ordered = 0;
  wide.middle = wide.first;
  if (queue.capacity > 0) {
    wide.ring = table_heap().allocate(wide.capacity * pane_bytes_);
    wide.newer = table_heap().allocate(pane_bytes_);
    memset(newer(wide), 0, pane_bytes_);
    for (uint64_t i = wide.first; i < wide.next; ++i) {
      unpack(row, i, pane(wide, i));
      merge_stacked(newer(wide), pane(wide, i));
      extent_in(newer(wide)).add(extent_in(pane(wide, i)));
    }
    pane_count_ += wide.next - wide.first + 1;
  }
  narrow_->free(row);
  queue = wide;
}

// Only the newest time of all panes together is asked for, and panes were in order: that of the last one.
void PanedCountStore::unpack(const char* row, uint64_t number, char* out) const {
  const Queue& queue = queue_of(row);
  const char* from = narrow_->pane(row, number);
  memset(out, 0, pane_bytes_);
  for (size_t i = 0; i < desc_.cells.size(); ++i) {
    const NarrowLayout::Cell& cell = narrow_->layout().cells[i];
    uint32_t to = desc_.cells[i].offset - cells_offset_;
    const char* words = from + cell.pane_offset;
    switch (cell.kind) {
      case NarrowCell::Count:
        cell_at<inl::CountCell>(out, to).count = static_cast<int64_t>(inl::word_at(words));
        break;
      case NarrowCell::Sum:
        inl::store(cell_at<inl::IntSumCell>(out, to), inl::narrow_sum(words, cell.words));
        break;
      case NarrowCell::Least:
      case NarrowCell::Greatest:
        if (narrow_->has_value(row, i, number)) cell_at<inl::ExtremeCell>(out, to) = {inl::word_at(words), 1};
    }
  }
  auto least = static_cast<int64_t>(inl::word_at(from));
  bool is_last = number + 1 == queue.next && queue.in_pane == 0;
  extent_in(out) = {pane_events_, least, is_last ? ever_of(row).newest : least};
}

// A sum of one value is a word, whatever an edit has made of it.
bool PanedCountStore::is_of_words(const Queue& queue) const {
  for (const NarrowLayout::Cell& cell : narrow_->layout().cells) {
    if (cell.kind != NarrowCell::Sum || cell.words != 1) continue;
    uint32_t offset = cell.row_offset - cells_offset_;
    for (uint64_t i = queue.first; i < queue.next; ++i) {
      __int128 sum = inl::value(cell_at<inl::IntSumCell>(pane(queue, i), offset));
      if (i + 1 < queue.middle) sum -= inl::value(cell_at<inl::IntSumCell>(pane(queue, i + 1), offset));
      if (sum != static_cast<int64_t>(sum)) return false;
    }
  }
  return true;
}

// All that its windows have is in order of time.
void PanedCountStore::make_narrow(char* row) {
  Queue& queue = queue_of(row);
  Queue wide = queue;
  uint64_t panes = wide.next - wide.first;
  if (!is_of_words(wide) || !table_heap().fits(narrow_->bytes_to_reserve(panes))) {
    queue.ordered = queue.next + 1;  // not asked again at each event
    return;
  }
  narrow_->begin(row);
  if (wide.capacity == 0) return;
  narrow_->reserve(row, panes);
  for (uint64_t i = wide.first; i < wide.next; ++i)
    inl::put_word(narrow_->pane(row, i), static_cast<uint64_t>(extent_in(pane(wide, i)).least));
  for (const NarrowLayout::Cell& cell : narrow_->layout().cells) {
    uint32_t from = cell.row_offset - cells_offset_;
    auto& total = *reinterpret_cast<inl::CountTotal*>(row + cell.total_offset);
    __int128 sum = 0;
    for (uint64_t i = wide.first; i < wide.next; ++i) {
      char* cells = pane(wide, i);
      const char* above = i + 1 < wide.middle ? pane(wide, i + 1) : nullptr;  // is in this one
      char* words = narrow_->pane(row, i) + cell.pane_offset;
      if (cell.kind == NarrowCell::Least || cell.kind == NarrowCell::Greatest) {
        const auto& extreme = cell_at<inl::ExtremeCell>(cells, from);
        auto which = cell.kind == NarrowCell::Least ? inl::Extreme::Least : inl::Extreme::Greatest;
        inl::put_word(words, extreme.count == 0 ? inl::no_extreme(which) : extreme.word);
        if (i >= wide.middle && extreme.count != 0) total.low = inl::better(total.low, extreme.word, which);
        if (extreme.count != 0) total.high = static_cast<int64_t>(i + 1);
        continue;
      }
      bool is_count = cell.kind == NarrowCell::Count;
      auto value = [&](const char* of) -> __int128 {
        return is_count ? cell_at<inl::CountCell>(of, from).count
                        : inl::value(cell_at<inl::IntSumCell>(of, from));
      };
      inl::IntSumCell own;
      inl::store(own, value(cells) - (above == nullptr ? 0 : value(above)));
      inl::put_word(words, own.low);
      if (cell.words == 2) inl::put_word(words + 8, static_cast<uint64_t>(own.high));
      sum += inl::value(own);
      inl::IntSumCell all;
      inl::store(all, sum);
      total = {all.low, all.high};
    }
  }
  table_heap().free(wide.ring, wide.capacity * pane_bytes_);
  table_heap().free(wide.newer, pane_bytes_);
  pane_count_ -= panes + 1;
}

uint64_t PanedCountStore::entry_count() const {
  uint64_t out = table_.row_count() + pane_count_;
  if (!narrow_) return out;
  table_.for_each([&](char* row) {
    const Queue& queue = queue_of(row);
    if (queue.is_narrow != 0 && queue.capacity > 0) out += queue.next - queue.first + 1;
  });
  return out;
}

}  // namespace mut::state
