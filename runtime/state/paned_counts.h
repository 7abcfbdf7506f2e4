// Count windows that overlap, made of panes of gcd(n, k) events each, which are merged: two stacks, so that
// an event costs the same however many panes a window has (Tangwongsan, Hirzel, Schneider, "Low-latency
// sliding-window aggregation in worst-case constant time", DEBS 2017, there "two-stacks"). Cells that keep
// values stay as they are in each pane, and are merged when a window is full.
//
// The panes of a key lie one after the other in memory of the heap, as a ring. A pane: cells · Extent. The
// one that is filling lies in the row of its key. Where has_narrow_panes() says so they are narrow, and
// kernels fill them, until an event of the key comes out of order; when all that its windows have is in order
// again, they are narrow again.
#pragma once
#include <optional>

#include "runtime/state/narrow_panes.h"
#include "runtime/state/sliding_counts.h"

namespace mut::state {

template <typename Cell>
Cell& cell_at(char* cells, uint32_t offset) {
  return *reinterpret_cast<Cell*>(cells + offset);
}
template <typename Cell>
const Cell& cell_at(const char* cells, uint32_t offset) {
  return *reinterpret_cast<const Cell*>(cells + offset);
}

class PanedCountStore final : public SlidingCountStore {
 public:
  PanedCountStore(StoreDesc desc, uint64_t seed, Budget& budget);
  // Before an event of that row: makes the room that it needs, and says what it fills; one that fills nothing
  // is counted. Ask: the budget is spent.
  inl::CountStep prepare(char* row, int64_t time);
  // Makes ready what narrow panes of that row can be filled in the memory that they have.
  void turn(char* row);
  bool has_room(const uint64_t* key, uint64_t text_bytes) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

 private:
  using Queue = inl::CountQueue;
  void take(char* row, int64_t time, ResultRows& out) override;
  void give_rest(const char* row, ResultRows& out) override;
  void free_values(char* row) override;

  struct StackedCell {
    std::optional<NarrowCell> how;  // the commonest ones are merged in place; nothing: by merge_cell()
    uint32_t offset;                // in a pane
    size_t index;                   // into the cells of the description
  };
  Queue& queue_of(char* row) const {
    return *reinterpret_cast<Queue*>(row + desc_.row_size - sizeof(Extent) - sizeof(Queue));
  }
  Extent& ever_of(char* row) const {
    return *reinterpret_cast<Extent*>(row + desc_.row_size - sizeof(Extent));
  }
  const Queue& queue_of(const char* row) const { return queue_of(const_cast<char*>(row)); }
  const Extent& ever_of(const char* row) const { return ever_of(const_cast<char*>(row)); }
  char* pane(const Queue& queue, uint64_t number) const {
    return table_heap().at(queue.ring) + (number & (queue.capacity - 1)) * pane_bytes_;
  }
  char* newer(const Queue& queue) const { return table_heap().at(queue.newer); }
  Extent& extent_in(char* pane) const { return *reinterpret_cast<Extent*>(pane + cells_bytes_); }
  Heap& table_heap() const { return const_cast<KeyedTable&>(table_).heap(); }
  void widen(char* row);
  void make_narrow(char* row);
  // Of a row with narrow panes: one of them as others are.
  void unpack(const char* row, uint64_t number, char* out) const;
  bool is_of_words(const Queue& queue) const;
  bool make_room(char* row);
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
  bool is_quiet_ = false;     // an event that fills nothing does nothing but to its pane
  std::vector<char> whole_;   // a row in which a window is put together; empty in between
  std::vector<uint64_t> key_;
  uint64_t pane_count_ = 0;  // with those that are merged, and without narrow ones
  std::optional<NarrowPanes> narrow_;
};

}  // namespace mut::state
