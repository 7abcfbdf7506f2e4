// Narrow panes of count windows that overlap, for what kernels do not do by themselves: see inline/counts.h.
#pragma once
#include <optional>
#include <vector>

#include "runtime/inline/counts.h"
#include "runtime/state/heap.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

enum class NarrowCell : uint8_t { Count, Sum, Least, Greatest };
// Nothing: such a cell is in no narrow pane.
std::optional<NarrowCell> narrow_cell(const CellDesc& cell);

// Whether windows have narrow panes as long as events come in order of time.
bool has_narrow_panes(const StoreDesc& desc);

// Bytes behind the cells of a row for all that such windows keep there; 0: a store of another kind.
uint32_t count_queue_bytes(const StoreDesc& desc);

struct NarrowLayout {
  struct Cell {
    NarrowCell kind;
    uint32_t words;         // 1 or 2
    uint32_t pane_offset;   // of them in a pane
    uint32_t row_offset;    // of the cell, in a row
    uint32_t total_offset;  // of its CountTotal, in a row
  };
  std::vector<Cell> cells;  // by cell
  uint64_t extremes = 0;    // cells
  inl::CountLayout code;
};
// Of windows that overlap and are made of panes; without cells where those are never narrow. Behind
// lay_out().
NarrowLayout narrow_layout(const StoreDesc& desc);

// Works on the row of a key. Owns nothing; one thread.
class NarrowPanes {
 public:
  NarrowPanes(NarrowLayout layout, Heap& heap) : layout_(std::move(layout)), heap_(heap) {}
  const NarrowLayout& layout() const { return layout_; }
  // A row without panes has narrow ones from now on.
  void begin(char* row) const;
  // Bytes that the budget needs for the next pane.
  uint64_t bytes_for_pane(const char* row) const;
  // For an event that fills one, and as many after it as are ready then.
  void make_room_for_pane(char* row) const;
  void free(char* row) const;

  // A pane as words: its least time, then the words of each cell.
  const char* pane(const char* row, uint64_t number) const;
  // Whether an extreme of that pane is of a value. Asked of each, it is right for the panes of every window
  // together: those have the newest.
  bool has_value(const char* row, size_t cell, uint64_t number) const;
  // Memory for so many panes, with nothing in it; the row's own, if any, is let go.
  void reserve(char* row, uint64_t panes) const;
  uint64_t bytes_to_reserve(uint64_t panes) const;
  char* pane(char* row, uint64_t number) const;

 private:
  inl::CountQueue& queue_of(char* row) const { return inl::count_queue(row, layout_.code); }
  const inl::CountQueue& queue_of(const char* row) const {
    return inl::count_queue(const_cast<char*>(row), layout_.code);
  }
  void grow(char* row) const;
  void turn_over(char* row) const;

  NarrowLayout layout_;
  Heap& heap_;
};

}  // namespace mut::state
