#include "runtime/state/sliding_counts.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/state/values.h"

namespace mut::state {
namespace {

constexpr uint64_t newer_panes = std::numeric_limits<uint64_t>::max();  // all from the middle on, merged

StoreDesc describe_parts(const StoreDesc& desc) {
  StoreDesc out;
  out.kind = StoreKind::Counts;
  for (const char* name : {"key", "number"}) {
    KeyDesc key;
    key.name = name;
    key.type = abi::make_scalar(abi::TypeKind::I64);
    out.keys.push_back(std::move(key));
  }
  out.cells = desc.cells;
  lay_out(out);
  return out;
}

}  // namespace

// ---- both kinds

SlidingCountStore::SlidingCountStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : CountStore(std::move(desc), seed, budget),
      part_desc_(describe_parts(desc_)),
      parts_(part_desc_, seed, budget) {}

SlidingCountStore::Queue SlidingCountStore::queue_of(const char* row) const {
  Queue out;
  memcpy(&out, row + desc_.row_size - sizeof(Extent) - sizeof(out), sizeof(out));
  return out;
}

void SlidingCountStore::keep(char* row, const Queue& queue) const {
  memcpy(row + desc_.row_size - sizeof(Extent) - sizeof(queue), &queue, sizeof(queue));
}

char* SlidingCountStore::make_part(uint64_t id, uint64_t number) {
  uint64_t key[] = {id, number};
  return parts_.find_or_insert(key);
}

char* SlidingCountStore::part(uint64_t id, uint64_t number) const {
  uint64_t key[] = {id, number};
  return parts_.find(key);
}

void SlidingCountStore::drop_part(uint64_t id, uint64_t number) {
  char* row = part(id, number);
  if (row == nullptr) return;
  for (const CellDesc& cell : part_desc_.cells) free_cell(cell, row + cell.offset, parts_.heap());
  if (part_desc_.group_offset != 0) {
    uint64_t group;
    memcpy(&group, row + part_desc_.group_offset, 8);
    parts_.erase_distinct(group);
  }
  parts_.erase(row);
}

void SlidingCountStore::free_values(char* row) {
  for (uint64_t number : parts_of(row)) drop_part(queue_of(row).id, number);
  CountStore::free_values(row);
}

char* SlidingCountStore::row_for(const uint64_t* key) {
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return nullptr;
  Queue queue = queue_of(row);
  if (queue.id == 0) {
    queue.id = ++last_id_;
    keep(row, queue);
  }
  return row;
}

void SlidingCountStore::give_part(const char* row, const char* part, ResultRows& out) const {
  Extent extent = extent_of(part_desc_, part);
  std::vector<uint64_t> key(desc_.key_words + 1);
  table_.load_key(row, key.data());
  out.add(parts_, part, key.data(), extent.least, extent.newest, extent.newest);
}

// `n` and `k` are the same: the comparison lets no others in.
void SlidingCountStore::convert_from(const Store& old_store, const std::vector<int>& cells,
                                     int64_t watermark) {
  CountStore::convert_from(old_store, cells, watermark);
  const auto& old = static_cast<const SlidingCountStore&>(old_store);
  std::vector<uint64_t> key(key_room(old.desc_));
  old.table_.for_each([&](char* row) {
    old.table_.load_key(row, key.data());
    if (!place_key(old.desc_, key.data())) return;
    char* made = table_.find(key.data());
    if (made == nullptr) return;  // past its `ttl`
    Queue queue = old.queue_of(row);
    uint64_t id = queue.id;
    queue.id = ++last_id_;
    keep(made, queue);
    for (uint64_t number : old.parts_of(row)) {
      const char* from = old.part(id, number);
      char* to = from == nullptr ? nullptr : make_part(queue.id, number);
      if (to == nullptr) continue;
      convert_row(old.parts_, from, parts_, to, cells);
      CountStore::keep(part_desc_, to, extent_of(old.part_desc_, from));
    }
  });
}

// ---- panes

PanedCountStore::PanedCountStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : SlidingCountStore(std::move(desc), seed, budget),
      pane_events_(std::gcd(desc_.size, desc_.every)),
      merged_(part_desc_.row_size, 0) {}

bool PanedCountStore::is(const CellDesc& cell, Which which) {
  return which == Which::All || keeps_values(cell.fn) == (which == Which::Kept);
}

void PanedCountStore::merge(char* target, const KeyedTable& from, const char* row, Which which) {
  for (size_t i = 0; i < desc_.cells.size(); ++i) {
    const CellDesc& cell = part_desc_.cells[i];
    if (!is(cell, which)) continue;
    merge_cell(cell, target + cell.offset, parts_.heap(), row + from.desc().cells[i].offset,
               const_cast<KeyedTable&>(from).heap());
  }
}

void PanedCountStore::clear(const KeyedTable& table, char* row) {
  for (const CellDesc& cell : table.desc().cells) {
    free_cell(cell, row + cell.offset, const_cast<KeyedTable&>(table).heap());
    memset(row + cell.offset, 0, cell.size);
  }
}

std::vector<uint64_t> PanedCountStore::parts_of(const char* row) const {
  Queue queue = queue_of(row);
  if (queue.id == 0) return {};
  std::vector<uint64_t> out(queue.next - queue.first + 1);
  std::iota(out.begin(), out.end(), queue.first);
  out.push_back(newer_panes);
  return out;
}

uint32_t PanedCountStore::prepare(const uint64_t* key) {
  char* row = row_for(key);
  if (row == nullptr) return 0;
  int64_t events = extent_of(desc_, row).events + 1;
  bool gives = events % desc_.every == 0 || desc_.gives == Gives::AtUpdate;
  Queue queue = queue_of(row);
  if (events % pane_events_ == 0) {
    if (make_part(queue.id, queue.next) == nullptr || make_part(queue.id, newer_panes) == nullptr) return 0;
  } else if (!gives) {
    return 1;
  }
  // What the panes keep is in the result once more, in lists that have grown for it.
  uint64_t bytes = 2 * kept_bytes(desc_, row);
  bool keeps = bytes + growth_of(desc_, row) > 0;
  for (uint64_t i = queue.first; gives && keeps && i < queue.next; ++i) {
    if (const char* pane = part(queue.id, i); pane != nullptr) bytes += 2 * kept_bytes(part_desc_, pane);
  }
  return bytes == 0 || parts_.heap().fits(bytes) ? 1 : 0;
}

bool PanedCountStore::has_room(const uint64_t* key, uint64_t text_bytes) {
  const char* row = table_.find(key);
  return table_.heap().fits(text_bytes + (row == nullptr ? 0 : growth_of(desc_, row)));
}

void PanedCountStore::take(char* row, int64_t time, ResultRows& out) {
  Queue queue = queue_of(row);
  Extent ever = extent_of(desc_, row);
  Extent pane{ever.events % pane_events_, ever.least, queue.newest};
  pane.add(time);
  ever = {ever.events + 1, pane.least, std::max(ever.newest, time)};
  queue.newest = pane.newest;
  if (pane.events == pane_events_) push(row, queue, pane);
  keep(row, queue);
  CountStore::keep(desc_, row, ever);
  if (ever.events % desc_.every == 0) give(row, queue, Filling::Without, out);
}

void PanedCountStore::push(char* row, Queue& queue, const Extent& pane) {
  char* made = part(queue.id, queue.next);
  char* newer = part(queue.id, newer_panes);
  merge(made, table_, row, Which::All);
  CountStore::keep(part_desc_, made, pane);
  merge(newer, table_, row, Which::Stacked);
  Extent extent = extent_of(part_desc_, newer);
  extent.add(pane);
  CountStore::keep(part_desc_, newer, extent);
  clear(table_, row);
  ++queue.next;
  while (queue.next - queue.first > static_cast<uint64_t>(desc_.size / pane_events_)) drop_first(queue);
}

// The first stack gives its top. When it is empty the second is put over: from the newest pane down each
// takes in what is above it.
void PanedCountStore::drop_first(Queue& queue) {
  if (queue.first == queue.middle) {
    for (uint64_t i = queue.next - 1; i > queue.first; --i) {
      char* below = part(queue.id, i - 1);
      const char* above = part(queue.id, i);
      if (below == nullptr || above == nullptr) continue;
      merge(below, parts_, above, Which::Stacked);
      Extent extent = extent_of(part_desc_, below);
      extent.add(extent_of(part_desc_, above));
      CountStore::keep(part_desc_, below, extent);
    }
    queue.middle = queue.next;
    if (char* newer = part(queue.id, newer_panes); newer != nullptr) {
      clear(parts_, newer);
      CountStore::keep(part_desc_, newer, {0, 0, no_event_yet});
    }
  }
  drop_part(queue.id, queue.first);
  ++queue.first;
}

void PanedCountStore::give(const char* row, const Queue& queue, Filling filling, ResultRows& out) {
  char* all = merged_.data();
  Extent extent{0, 0, no_event_yet};
  auto add = [&](const char* from) {
    if (from == nullptr) return;
    merge(all, parts_, from, Which::Stacked);
    extent.add(extent_of(part_desc_, from));
  };
  if (queue.first < queue.middle) add(part(queue.id, queue.first));
  if (queue.middle < queue.next) add(part(queue.id, newer_panes));
  bool keeps = std::any_of(desc_.cells.begin(), desc_.cells.end(),
                           [](const CellDesc& cell) { return keeps_values(cell.fn); });
  for (uint64_t i = queue.first; keeps && i < queue.next; ++i) {
    if (const char* pane = part(queue.id, i); pane != nullptr) merge(all, parts_, pane, Which::Kept);
  }
  if (filling == Filling::With) {
    merge(all, table_, row, Which::All);
    Extent ever = extent_of(desc_, row);
    extent.add({ever.events % pane_events_, ever.least, queue.newest});
  }
  CountStore::keep(part_desc_, all, extent);
  give_part(row, all, out);
  clear(parts_, all);
}

// The window that the next event would be in, and that is to end there or later.
void PanedCountStore::give_rest(const char* row, ResultRows& out) {
  Extent ever = extent_of(desc_, row);
  if (ever.events % desc_.every == 0) return;  // all was given
  Queue queue = queue_of(row);
  int64_t end = (ever.events / desc_.every + 1) * desc_.every;
  auto first = static_cast<uint64_t>(std::max<int64_t>(end - desc_.size, 0) / pane_events_);
  while (queue.first < first) drop_first(queue);
  keep(const_cast<char*>(row), queue);
  give(row, queue, Filling::With, out);
}

// ---- a row for each window

std::vector<uint64_t> ApartCountStore::parts_of(const char* row) const {
  if (queue_of(row).id == 0) return {};
  int64_t next_event = extent_of(desc_, row).events;
  std::vector<uint64_t> out(last_of(next_event) - first_of(next_event) + 1);
  std::iota(out.begin(), out.end(), first_of(next_event));
  return out;
}

uint32_t ApartCountStore::prepare(const uint64_t* key) {
  char* row = row_for(key);
  if (row == nullptr) return 0;
  int64_t event = extent_of(desc_, row).events;
  open_id_ = queue_of(row).id;
  open_first_ = first_of(event);
  uint64_t last = last_of(event);
  for (uint64_t i = open_first_; i <= last; ++i) {
    if (make_part(open_id_, i) == nullptr) return 0;
  }
  open_count_ = static_cast<uint32_t>(last - open_first_ + 1);
  return open_count_;
}

bool ApartCountStore::has_room(const uint64_t*, uint64_t text_bytes) {
  uint64_t bytes = open_count_ * (distinct_growth(part_desc_) + text_bytes);
  for (uint32_t i = 0; i < open_count_; ++i) bytes += growth_of(part_desc_, window(i));
  if (!parts_.heap().fits(bytes)) parts_.purge_distinct();
  return parts_.heap().fits(bytes);
}

void ApartCountStore::take(char* row, int64_t time, ResultRows& out) {
  Extent ever = extent_of(desc_, row);
  uint64_t id = queue_of(row).id;
  uint64_t first = first_of(ever.events);
  for (uint64_t i = first; i <= last_of(ever.events); ++i) {
    char* window = part(id, i);
    if (window == nullptr) continue;
    Extent extent = extent_of(part_desc_, window);
    extent.add(time);
    CountStore::keep(part_desc_, window, extent);
  }
  ever = {ever.events + 1, ever.least, std::max(ever.newest, time)};
  CountStore::keep(desc_, row, ever);
  if (ever.events % desc_.every != 0) return;
  if (const char* window = part(id, first); window != nullptr) give_part(row, window, out);
  drop_part(id, first);
}

void ApartCountStore::give_rest(const char* row, ResultRows& out) {
  Extent ever = extent_of(desc_, row);
  if (ever.events % desc_.every == 0) return;
  if (const char* window = part(queue_of(row).id, first_of(ever.events)); window != nullptr)
    give_part(row, window, out);
}

}  // namespace mut::state
