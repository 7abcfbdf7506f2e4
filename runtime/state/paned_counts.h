// Count windows that overlap, made of panes of gcd(n, k) events each, which are merged: two stacks, so that
// an event costs the same however many panes a window has (Tangwongsan, Hirzel, Schneider, "Low-latency
// sliding-window aggregation in worst-case constant time", DEBS 2017, there "two-stacks"). Cells that keep
// values stay as they are in each pane, and are merged when a window is full.
//
// The panes of a key lie one after the other in memory of the heap, as a ring. A pane: cells · Extent. The
// one that is filling lies in the row of its key.
#pragma once
#include "runtime/state/sliding_counts.h"

namespace mut::state {

class PanedCountStore final : public SlidingCountStore {
 public:
  PanedCountStore(StoreDesc desc, uint64_t seed, Budget& budget);
  // The row of the key of the next event, which has the room that it needs; null when the budget is spent.
  char* prepare(const uint64_t* key);
  bool has_room(const uint64_t* key, uint64_t text_bytes) override;
  uint64_t entry_count() const override { return table_.row_count() + pane_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

  // Between the cells and the Extent of a row.
  struct Queue {
    uint64_t ring;      // in the heap
    uint64_t newer;     // in the heap: all from the middle on, merged
    uint64_t capacity;  // panes of the ring, a power of two; 0: no memory yet
    uint64_t first;     // number of the oldest pane that the next window has
    uint64_t middle;    // panes before it hold all up to it, each from itself on
    uint64_t next;      // number of the pane that is filling
    int64_t newest;     // time in that pane
    int64_t in_pane;    // events of that pane
    int64_t in_slide;   // events since a window was full
  };

 private:
  void take(char* row, int64_t time, ResultRows& out) override;
  void give_rest(const char* row, ResultRows& out) override;
  void free_values(char* row) override;

  // How a cell that is merged in the stacks is: the commonest ones in place, others by merge_cell().
  enum class How : uint8_t { Count, IntSum, LeastSigned, GreatestSigned, Other };
  struct StackedCell {
    How how;
    uint32_t offset;  // in a pane
    size_t index;     // into the cells of the description
  };
  static How how_of(const CellDesc& cell);
  Queue& queue_of(char* row) const {
    return *reinterpret_cast<Queue*>(row + desc_.row_size - sizeof(Extent) - sizeof(Queue));
  }
  Extent& ever_of(char* row) const {
    return *reinterpret_cast<Extent*>(row + desc_.row_size - sizeof(Extent));
  }
  char* pane(const Queue& queue, uint64_t number) const {
    return table_heap().at(queue.ring) + (number & (queue.capacity - 1)) * pane_bytes_;
  }
  char* newer(const Queue& queue) const { return table_heap().at(queue.newer); }
  Extent& extent_in(char* pane) const { return *reinterpret_cast<Extent*>(pane + cells_bytes_); }
  Heap& table_heap() const { return const_cast<KeyedTable&>(table_).heap(); }
  char* find_or_insert(const uint64_t* key);
  void grow(Queue& queue);
  uint64_t bytes_to_grow(const Queue& queue) const;
  // Adds what a pane has in its stacked cells, or in those that keep values.
  void merge_stacked(char* cells, const char* pane) const;
  void merge_kept_values(char* cells, const char* pane) const;
  void free_cells(char* cells) const;
  // The pane is full: it goes to the others, and the next one begins.
  void push(char* row, Queue& queue, const Extent& extent);
  void drop_first(Queue& queue);
  void turn_over(Queue& queue);
  enum class Filling : uint8_t { With, Without };  // the pane that is not full
  void give(char* row, const Queue& queue, Filling filling, ResultRows& out);
  void convert_pane(const PanedCountStore& old, const char* from, const std::vector<int>& cells,
                    char* to) const;

  int64_t pane_events_;
  uint64_t window_panes_;
  uint32_t cells_offset_;  // of a row
  uint32_t cells_bytes_;
  uint32_t pane_bytes_;
  std::vector<StackedCell> stacked_;
  std::vector<size_t> kept_;  // indexes of cells
  bool owns_ = false;         // something of a cell lies in the heap
  std::vector<char> whole_;   // a row in which a window is put together; empty in between
  std::vector<uint64_t> key_;
  char* only_row_ = nullptr;  // without keys: it stays where it is
  uint64_t pane_count_ = 0;   // with those that are merged
};

}  // namespace mut::state
