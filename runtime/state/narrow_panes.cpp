#include "runtime/state/narrow_panes.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace mut::state {
namespace {

constexpr uint64_t capacity_first = 4;

inl::Extreme extreme_of(NarrowCell kind) {
  return kind == NarrowCell::Least ? inl::Extreme::Least : inl::Extreme::Greatest;
}
bool is_extreme(NarrowCell kind) { return kind == NarrowCell::Least || kind == NarrowCell::Greatest; }

inl::CountTotal& total_of(char* row, const NarrowLayout::Cell& cell) {
  return *reinterpret_cast<inl::CountTotal*>(row + cell.total_offset);
}

uint64_t capacity_for(uint64_t panes) {
  uint64_t out = capacity_first;
  while (out < panes) out *= 2;
  return out;
}

}  // namespace

std::optional<NarrowCell> narrow_cell(const CellDesc& cell) {
  bool signed_number = cell.kind == WordKind::Signed;
  if (cell.fn == CellFn::Count) return NarrowCell::Count;
  if (cell.fn == CellFn::IntSum) return NarrowCell::Sum;
  if (cell.fn == CellFn::Min && signed_number) return NarrowCell::Least;
  if (cell.fn == CellFn::Max && signed_number) return NarrowCell::Greatest;
  return std::nullopt;
}

bool has_narrow_panes(const StoreDesc& desc) {
  return slides(desc) && desc.gives == Gives::AtClose && desc.ttl == 0 &&
         std::all_of(desc.cells.begin(), desc.cells.end(),
                     [](const CellDesc& cell) { return narrow_cell(cell).has_value(); });
}

uint32_t count_queue_bytes(const StoreDesc& desc) {
  if (!slides(desc) || keeps_windows_apart(desc)) return 0;
  size_t totals = has_narrow_panes(desc) ? desc.cells.size() * sizeof(inl::CountTotal) : 0;
  return static_cast<uint32_t>(totals + sizeof(inl::CountQueue));
}

NarrowLayout narrow_layout(const StoreDesc& desc) {
  NarrowLayout out;
  int64_t pane_events = std::gcd(desc.size, desc.every);
  auto queue = static_cast<uint32_t>(desc.row_size - sizeof(inl::CountExtent) - sizeof(inl::CountQueue));
  out.code = {queue, pane_events, desc.every, static_cast<uint64_t>(desc.size / pane_events), 0};
  if (!has_narrow_panes(desc)) return out;
  uint32_t total = queue - static_cast<uint32_t>(desc.cells.size() * sizeof(inl::CountTotal));
  uint32_t bytes = 8;  // the least time
  for (const CellDesc& cell : desc.cells) {
    NarrowCell kind = *narrow_cell(cell);
    uint32_t words = kind == NarrowCell::Sum && pane_events > 1 ? 2 : 1;
    out.cells.push_back({kind, words, bytes, cell.offset, total});
    bytes += words * 8;
    total += sizeof(inl::CountTotal);
    if (is_extreme(kind)) ++out.extremes;
  }
  out.code.pane_bytes = bytes;
  return out;
}

void NarrowPanes::begin(char* row) const {
  queue_of(row).is_narrow = 1;
  queue_of(row).ready = 0;
  for (const NarrowLayout::Cell& cell : layout_.cells)
    total_of(row, cell) = {is_extreme(cell.kind) ? inl::no_extreme(extreme_of(cell.kind)) : 0, 0};
}

uint64_t NarrowPanes::bytes_to_reserve(uint64_t panes) const {
  return heap_.block_growth({capacity_for(panes) * layout_.code.pane_bytes});
}

void NarrowPanes::reserve(char* row, uint64_t panes) const {
  inl::CountQueue& queue = queue_of(row);
  queue.capacity = capacity_for(panes);
  queue.ring = heap_.allocate(queue.capacity * layout_.code.pane_bytes);
}

uint64_t NarrowPanes::bytes_for_pane(const char* row) const {
  const inl::CountQueue& queue = queue_of(row);
  uint64_t panes = queue.next - queue.first;
  return panes == layout_.code.window_panes || panes != queue.capacity ? 0 : bytes_to_reserve(panes + 1);
}

void NarrowPanes::make_room_for_pane(char* row) const {
  inl::CountQueue& queue = queue_of(row);
  uint64_t panes = queue.next - queue.first;
  if (panes == layout_.code.window_panes) {
    if (layout_.extremes > 0 && queue.first == queue.middle) turn_over(row);
    queue.ready = layout_.extremes > 0 ? static_cast<int64_t>(queue.middle - queue.first)
                                       : std::numeric_limits<int64_t>::max();
    return;
  }
  if (panes == queue.capacity) grow(row);
  queue.ready = static_cast<int64_t>(std::min(queue.capacity, layout_.code.window_panes) - panes);
}

void NarrowPanes::grow(char* row) const {
  inl::CountQueue before = queue_of(row);
  reserve(row, before.capacity + 1);
  if (before.capacity == 0) return;
  char* ring = heap_.at(before.ring);
  for (uint64_t i = before.first; i < before.next; ++i)
    memcpy(pane(row, i), inl::narrow_pane(before, ring, i, layout_.code.pane_bytes), layout_.code.pane_bytes);
  heap_.free(before.ring, before.capacity * layout_.code.pane_bytes);
}

// From the newest pane down each extreme takes in what is above it.
void NarrowPanes::turn_over(char* row) const {
  inl::CountQueue& queue = queue_of(row);
  uint64_t pane_bytes = layout_.code.pane_bytes;
  uint64_t mask = queue.capacity - 1;
  for (const NarrowLayout::Cell& cell : layout_.cells) {
    if (!is_extreme(cell.kind)) continue;
    char* words = heap_.at(queue.ring) + cell.pane_offset;
    auto take = [&](auto better) {
      auto best = static_cast<int64_t>(inl::no_extreme(extreme_of(cell.kind)));
      // In pieces that lie one after the other.
      for (uint64_t end = queue.next; end > queue.first;) {
        uint64_t count = std::min(((end - 1) & mask) + 1, end - queue.first);
        char* piece = words + ((end - count) & mask) * pane_bytes;
        for (uint64_t i = count; i-- > 0;) {
          char* at = piece + i * pane_bytes;
          best = better(best, static_cast<int64_t>(inl::word_at(at)));
          inl::put_word(at, static_cast<uint64_t>(best));
        }
        end -= count;
      }
    };
    if (cell.kind == NarrowCell::Least) {
      take([](int64_t a, int64_t b) { return std::min(a, b); });
    } else {
      take([](int64_t a, int64_t b) { return std::max(a, b); });
    }
    total_of(row, cell).low = inl::no_extreme(extreme_of(cell.kind));
  }
  queue.middle = queue.next;
}

void NarrowPanes::free(char* row) const {
  inl::CountQueue& queue = queue_of(row);
  if (queue.capacity > 0) heap_.free(queue.ring, queue.capacity * layout_.code.pane_bytes);
  queue.capacity = 0;
}

const char* NarrowPanes::pane(const char* row, uint64_t number) const {
  const inl::CountQueue& queue = queue_of(row);
  return inl::narrow_pane(queue, heap_.at(queue.ring), number, layout_.code.pane_bytes);
}
char* NarrowPanes::pane(char* row, uint64_t number) const {
  return const_cast<char*>(pane(const_cast<const char*>(row), number));
}

bool NarrowPanes::has_value(const char* row, size_t cell, uint64_t number) const {
  const NarrowLayout::Cell& of = layout_.cells[cell];
  return inl::word_at(pane(row, number) + of.pane_offset) != inl::no_extreme(extreme_of(of.kind)) ||
         static_cast<uint64_t>(total_of(const_cast<char*>(row), of).high) == number + 1;
}

}  // namespace mut::state
