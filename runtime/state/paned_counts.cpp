#include "runtime/state/paned_counts.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/inline/cells.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {

constexpr uint64_t capacity_first = 4;

// All that lies in rows and panes has whole words.
void copy_words(char* to, const char* from, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i += 8) memcpy(to + i, from + i, 8);
}
void clear_words(char* of, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i += 8) memset(of + i, 0, 8);
}

}  // namespace

PanedCountStore::PanedCountStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : SlidingCountStore(std::move(desc), seed, budget),
      pane_events_(std::gcd(desc_.size, desc_.every)),
      window_panes_(static_cast<uint64_t>(desc_.size / pane_events_)),
      cells_offset_(8 + desc_.key_words * 8),
      cells_bytes_(0),
      whole_(desc_.row_size, 0),
      key_(desc_.key_words + 1) {
  for (size_t i = 0; i < desc_.cells.size(); ++i) {
    const CellDesc& cell = desc_.cells[i];
    owns_ = owns_ || owns_memory(cell);
    if (keeps_values(cell.fn)) {
      kept_.push_back(i);
    } else {
      stacked_.push_back({narrow_cell(cell), cell.offset - cells_offset_, i});
    }
    cells_bytes_ += cell.size;
  }
  pane_bytes_ = cells_bytes_ + static_cast<uint32_t>(sizeof(Extent));
  if (has_narrow_panes(desc_)) narrow_.emplace(narrow_layout(desc_), table_heap());
  is_quiet_ = kept_.empty() && desc_.ttl == 0 && desc_.gives != Gives::AtUpdate;
}

void PanedCountStore::merge_stacked(char* cells, const char* pane) const {
  for (const StackedCell& each : stacked_) {
    if (!each.how) {
      merge_cell(desc_.cells[each.index], cells + each.offset, table_heap(), pane + each.offset,
                 table_heap());
      continue;
    }
    switch (*each.how) {
      case NarrowCell::Count:
        cell_at<inl::CountCell>(cells, each.offset).count += cell_at<inl::CountCell>(pane, each.offset).count;
        break;
      case NarrowCell::Sum:
        merge(cell_at<inl::IntSumCell>(cells, each.offset), cell_at<inl::IntSumCell>(pane, each.offset));
        break;
      case NarrowCell::Least:
      case NarrowCell::Greatest: {
        auto& mine = cell_at<inl::ExtremeCell>(cells, each.offset);
        const auto& other = cell_at<inl::ExtremeCell>(pane, each.offset);
        auto a = static_cast<int64_t>(mine.word);
        auto b = static_cast<int64_t>(other.word);
        bool better = mine.count == 0 || (each.how == NarrowCell::Least ? b < a : a < b);
        mine.word = other.count != 0 && better ? other.word : mine.word;
        mine.count += other.count;
      }
    }
  }
}

void PanedCountStore::merge_kept_values(char* cells, const char* pane) const {
  for (size_t i : kept_) {
    const CellDesc& cell = desc_.cells[i];
    uint32_t offset = cell.offset - cells_offset_;
    merge_cell(cell, cells + offset, table_heap(), pane + offset, table_heap());
  }
}

void PanedCountStore::free_cells(char* cells) const {
  if (!owns_) return;
  for (const CellDesc& cell : desc_.cells) free_cell(cell, cells + cell.offset - cells_offset_, table_heap());
}

uint64_t PanedCountStore::bytes_to_grow(const Queue& queue) const {
  if (queue.next - queue.first < queue.capacity) return 0;
  if (queue.capacity == 0) return table_heap().block_growth({capacity_first * pane_bytes_, pane_bytes_});
  return table_heap().block_growth({queue.capacity * 2 * pane_bytes_});
}

void PanedCountStore::grow(Queue& queue) {
  Queue bigger = queue;
  Heap& heap = table_heap();
  bigger.capacity = queue.capacity == 0 ? capacity_first : queue.capacity * 2;
  bigger.ring = heap.allocate(bigger.capacity * pane_bytes_);
  for (uint64_t i = queue.first; i < queue.next; ++i) memcpy(pane(bigger, i), pane(queue, i), pane_bytes_);
  if (queue.capacity == 0) {
    bigger.newer = heap.allocate(pane_bytes_);
    memset(newer(bigger), 0, pane_bytes_);
    ++pane_count_;
  } else {
    heap.free(queue.ring, queue.capacity * pane_bytes_);
  }
  queue = bigger;
}

inl::CountStep PanedCountStore::prepare(char* row, int64_t time) {
  Queue& queue = queue_of(row);
  Extent& ever = ever_of(row);
  if (narrow_) {
    bool is_late = time < ever.newest;
    if (ever.events == 0) narrow_->begin(row);
    if (queue.is_narrow != 0 && is_late) {
      uint64_t ring = std::max<uint64_t>(queue.capacity, 1) * pane_bytes_;
      if (!table_heap().fits(table_heap().block_growth({ring, pane_bytes_}))) return inl::CountStep::Ask;
      widen(row);
    }
    if (is_late) queue.ordered = queue.next + 1;
    if (queue.is_narrow == 0 && queue.first >= queue.ordered) make_narrow(row);
  }
  queue.is_quiet = is_quiet_ ? 1 : 0;
  if (is_quiet_ && queue.in_pane + 1 < pane_events_) {
    inl::count_event(queue, ever, time);
    return inl::CountStep::Quiet;
  }
  if (queue.is_narrow == 0) return make_room(row) ? inl::CountStep::Apart : inl::CountStep::Ask;
  uint64_t bytes = narrow_->bytes_for_pane(row);
  if (bytes > 0 && !table_heap().fits(bytes)) return inl::CountStep::Ask;
  narrow_->make_room_for_pane(row);
  --queue.ready;
  return inl::CountStep::Fills;
}

void PanedCountStore::turn(char* row) {
  if (queue_of(row).is_narrow != 0 && queue_of(row).capacity > 0 && narrow_->bytes_for_pane(row) == 0)
    narrow_->make_room_for_pane(row);
}

bool PanedCountStore::make_room(char* row) {
  Queue& queue = queue_of(row);
  bool fills = queue.in_pane + 1 == pane_events_;
  if (fills && queue.next - queue.first == queue.capacity) {
    if (!table_heap().fits(bytes_to_grow(queue))) return false;
    grow(queue);
  }
  bool gives = queue.in_slide + 1 == desc_.every || desc_.gives == Gives::AtUpdate;
  if (kept_.empty() || !(fills || gives)) return true;
  // What the panes keep is in the result once more, in lists that have grown for it.
  uint64_t bytes = 2 * kept_bytes(desc_, row);
  bool keeps = bytes + growth_of(desc_, row) > 0;
  for (uint64_t i = queue.first; gives && keeps && i < queue.next; ++i)
    bytes += 2 * kept_bytes(desc_, pane(queue, i) - cells_offset_);
  return bytes == 0 || table_heap().fits(bytes);
}

bool PanedCountStore::has_room(const uint64_t* key, uint64_t text_bytes) {
  const char* row = table_.find(key);
  return table_.heap().fits(text_bytes + (row == nullptr ? 0 : growth_of(desc_, row)));
}

void PanedCountStore::take(char* row, int64_t time, ResultRows& out) {
  Queue& queue = queue_of(row);
  Extent& ever = ever_of(row);
  inl::count_event(queue, ever, time);
  if (queue.in_pane == pane_events_) {
    queue.in_pane = 0;
    push(row, queue, {pane_events_, ever.least, queue.newest});
  }
  bool full = queue.in_slide == desc_.every;
  if (full) queue.in_slide = 0;
  queue.is_quiet = is_quiet_ ? 1 : 0;  // a window ends with a pane
  if (full) give(row, queue, Filling::Without, out);
}

void PanedCountStore::push(char* row, Queue& queue, const Extent& extent) {
  if (queue.next - queue.first == queue.capacity) grow(queue);
  char* made = pane(queue, queue.next);
  copy_words(made, row + cells_offset_, cells_bytes_);
  clear_words(row + cells_offset_, cells_bytes_);
  extent_in(made) = extent;
  char* merged = newer(queue);
  merge_stacked(merged, made);
  extent_in(merged).add(extent);
  ++queue.next;
  ++pane_count_;
  while (queue.next - queue.first > window_panes_) drop_first(queue);
}

// The first stack gives its top.
void PanedCountStore::drop_first(Queue& queue) {
  if (queue.first == queue.middle) turn_over(queue);
  free_cells(pane(queue, queue.first));
  ++queue.first;
  --pane_count_;
}

// When it is empty the second is put over: from the newest pane down each takes in what is above it.
void PanedCountStore::turn_over(Queue& queue) {
  for (uint64_t i = queue.next - 1; i > queue.first; --i) {
    char* below = pane(queue, i - 1);
    char* above = pane(queue, i);
    merge_stacked(below, above);
    extent_in(below).add(extent_in(above));
  }
  queue.middle = queue.next;
  free_cells(newer(queue));
  memset(newer(queue), 0, pane_bytes_);
}

void PanedCountStore::give(char* row, const Queue& queue, Filling filling, ResultRows& out) {
  char* all = whole_.data() + cells_offset_;
  Extent extent{0, 0, 0};
  if (queue.first < queue.middle) {
    char* top = pane(queue, queue.first);
    if (owns_) {
      merge_stacked(all, top);
    } else {
      copy_words(all, top, cells_bytes_);
    }
    extent = extent_in(top);
  }
  if (queue.middle < queue.next) {
    merge_stacked(all, newer(queue));
    extent.add(extent_in(newer(queue)));
  }
  if (!kept_.empty()) {
    for (uint64_t i = queue.first; i < queue.next; ++i) merge_kept_values(all, pane(queue, i));
  }
  if (filling == Filling::With) {
    merge_stacked(all, row + cells_offset_);
    merge_kept_values(all, row + cells_offset_);
    extent.add({queue.in_pane, ever_of(row).least, queue.newest});
  }
  table_.load_key(row, key_.data());
  out.add(table_, whole_.data(), key_.data(), extent.least, extent.newest, extent.newest);
  free_cells(all);
  clear_words(all, cells_bytes_);
}

// The window that the next event would be in, and that is to end there or later.
void PanedCountStore::give_rest(const char* const_row, ResultRows& out) {
  char* row = const_cast<char*>(const_row);
  const Extent& ever = ever_of(row);
  if (ever.events % desc_.every == 0) return;  // all was given
  if (queue_of(row).is_narrow != 0) widen(row);
  Queue& queue = queue_of(row);
  int64_t end = (ever.events / desc_.every + 1) * desc_.every;
  auto first = static_cast<uint64_t>(std::max<int64_t>(end - desc_.size, 0) / pane_events_);
  while (queue.first < first) drop_first(queue);
  give(row, queue, Filling::With, out);
}

void PanedCountStore::free_values(char* row) {
  Queue& queue = queue_of(row);
  if (queue.is_narrow != 0) {
    narrow_->free(row);
    queue = {};
  }
  if (queue.capacity > 0) {
    for (uint64_t i = queue.first; i < queue.next; ++i) free_cells(pane(queue, i));
    free_cells(newer(queue));
    table_heap().free(queue.ring, queue.capacity * pane_bytes_);
    table_heap().free(queue.newer, pane_bytes_);
    pane_count_ -= queue.next - queue.first + 1;
    queue = {};
  }
  CountStore::free_values(row);
}

void PanedCountStore::convert_pane(const PanedCountStore& old, const char* from,
                                   const std::vector<int>& cells, char* to) const {
  memset(to, 0, pane_bytes_);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) continue;
    const CellDesc& cell = desc_.cells[i];
    const CellDesc& old_cell = old.desc_.cells[static_cast<size_t>(cells[i])];
    merge_cell(cell, to + cell.offset - cells_offset_, table_heap(),
               from + old_cell.offset - old.cells_offset_, old.table_heap());
  }
  memcpy(to + cells_bytes_, from + old.cells_bytes_, sizeof(Extent));
}

// `n` and `k` are the same, and windows were made of panes: the comparison lets no others in.
void PanedCountStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  CountStore::convert_from(old_store, cells, watermark);
  const auto& old = static_cast<const PanedCountStore&>(old_store);
  for_each_converted(old, [&](char* row, char* made) {
    const Queue& from = old.queue_of(row);
    Queue& queue = queue_of(made);
    queue = from;
    queue.is_quiet = 0;
    queue.is_narrow = 0;
    if (from.is_narrow != 0) queue.ordered = 0;
    if (!old.narrow_) queue.ordered = queue.next + 1;  // it did not look
    if (from.capacity == 0) return;
    queue.ring = table_heap().allocate(queue.capacity * pane_bytes_);
    queue.newer = table_heap().allocate(pane_bytes_);
    pane_count_ += queue.next - queue.first + 1;
    if (from.is_narrow == 0) {
      for (uint64_t i = from.first; i < from.next; ++i)
        convert_pane(old, old.pane(from, i), cells, pane(queue, i));
      convert_pane(old, old.newer(from), cells, newer(queue));
      return;
    }
    queue.middle = queue.first;
    memset(newer(queue), 0, pane_bytes_);
    std::vector<char> whole(old.pane_bytes_);
    for (uint64_t i = from.first; i < from.next; ++i) {
      old.unpack(row, i, whole.data());
      convert_pane(old, whole.data(), cells, pane(queue, i));
      merge_stacked(newer(queue), pane(queue, i));
      extent_in(newer(queue)).add(extent_in(pane(queue, i)));
    }
  });
}

}  // namespace mut::state
