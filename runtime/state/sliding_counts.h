// Count windows that overlap: `window count n every k`. A row of the table knows where its key stands; what
// its windows have seen lies in rows of a second table. Row: … · Queue · i64 events, ever · i64 least time of
// the pane · i64 newest time, ever.
#pragma once
#include "runtime/state/counts.h"

namespace mut::state {

class SlidingCountStore : public CountStore {
 public:
  SlidingCountStore(StoreDesc desc, uint64_t seed, Budget& budget);
  // Before an event: room for the rows that it needs. How many rows it is added to besides that of its key
  // (PanedCountStore: 1); 0: the budget is spent, and nothing has changed.
  virtual uint32_t prepare(const uint64_t* key) = 0;
  // Whether cells that keep values may take one of that much text each. Asked behind prepare().
  virtual bool has_room(const uint64_t* key, uint64_t text_bytes) = 0;
  uint64_t entry_count() const override { return table_.row_count() + parts_.row_count(); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

 protected:
  struct Queue {
    uint64_t id;      // of the key among the parts; 0: none yet
    uint64_t first;   // the oldest pane that the next window has
    uint64_t middle;  // panes before it hold all up to it, each from itself on
    uint64_t next;    // the pane that is filling; its cells are in the row of the key
    int64_t newest;   // time in that pane
  };
  Queue queue_of(const char* row) const;
  void keep(char* row, const Queue& queue) const;
  // Null when the budget is spent, and when there is none.
  char* make_part(uint64_t id, uint64_t number);
  char* part(uint64_t id, uint64_t number) const;
  void drop_part(uint64_t id, uint64_t number);
  // Numbers of the parts that a key may have, the next event's too.
  virtual std::vector<uint64_t> parts_of(const char* row) const = 0;
  void free_values(char* row) override;
  // The row of the key, with a number; null when the budget is spent.
  char* row_for(const uint64_t* key);
  void give_part(const char* row, const char* part, ResultRows& out) const;

  StoreDesc part_desc_;  // (id, number) → cells · Extent
  KeyedTable parts_;
  uint64_t last_id_ = 0;
};

// Windows made of panes of gcd(n, k) events each, which are merged: two stacks, so that an event costs the
// same however many panes a window has. Cells that keep values stay as they are in each pane, and are merged
// when a window is full.
class PanedCountStore final : public SlidingCountStore {
 public:
  PanedCountStore(StoreDesc desc, uint64_t seed, Budget& budget);
  uint32_t prepare(const uint64_t* key) override;
  bool has_room(const uint64_t* key, uint64_t text_bytes) override;

 private:
  void take(char* row, int64_t time, ResultRows& out) override;
  void give_rest(const char* row, ResultRows& out) override;
  std::vector<uint64_t> parts_of(const char* row) const override;
  enum class Which : uint8_t { Stacked, Kept, All };
  static bool is(const CellDesc& cell, Which which);
  void merge(char* target, const KeyedTable& from, const char* row, Which which);
  // The pane is full: it goes to the others, and the next one begins.
  void push(char* row, Queue& queue, const Extent& pane);
  void drop_first(Queue& queue);
  enum class Filling : uint8_t { With, Without };  // the pane that is not full
  void give(const char* row, const Queue& queue, Filling filling, ResultRows& out);
  void clear(const KeyedTable& table, char* row);

  int64_t pane_events_;
  std::vector<char> merged_;  // a row in which a window is put together; empty in between
};

// Each open window has a row of its own, and an event is added to all.
class ApartCountStore final : public SlidingCountStore {
 public:
  using SlidingCountStore::SlidingCountStore;
  uint32_t prepare(const uint64_t* key) override;
  bool has_room(const uint64_t* key, uint64_t text_bytes) override;
  // The row of one of the windows of the event prepared for.
  char* window(uint32_t index) { return part(open_id_, open_first_ + index); }
  MutTable* windows() { return parts_.view(); }

 private:
  void take(char* row, int64_t time, ResultRows& out) override;
  void give_rest(const char* row, ResultRows& out) override;
  std::vector<uint64_t> parts_of(const char* row) const override;
  // Windows that hold the event of that index, from 0 on: the i-th ends with event i * every.
  uint64_t first_of(int64_t event) const { return static_cast<uint64_t>(event / desc_.every) + 1; }
  uint64_t last_of(int64_t event) const { return static_cast<uint64_t>((event + desc_.size) / desc_.every); }

  uint64_t open_id_ = 0;
  uint64_t open_first_ = 0;
  uint32_t open_count_ = 0;
};

}  // namespace mut::state
