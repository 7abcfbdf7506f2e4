// Variables of the script by key, and the timers that it sets: a queue in the order in which they fire.
// Row: … · a cell a variable · a cell a timer (is it set, when is it due) · i64 time of the newest event or
// timer.
#pragma once
#include <set>
#include <vector>

#include "runtime/state/groups.h"

namespace mut::state {

class ProcessStore final : public GroupStore {
 public:
  ProcessStore(StoreDesc desc, uint64_t seed, Budget& budget);
  ~ProcessStore() override;

  int64_t due() const override { return queue_.empty() ? never : queue_.begin()->due; }
  // One timer: what it does may come before the next.
  void fire(ResultRows& rows) override;
  void release() override { fired_.clear(); }
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t let_go_count() const override { return let_go_; }
  void forget_let_go() override { let_go_ = 0; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  // Without timers, which all wait in one queue: of variables each key's go over by themselves.
  bool can_take_over(const Store& old, const std::vector<int>& cells) const override;
  void return_from(const Store& parked, const std::vector<int>& cells) override;
  // What waits for a timer is kept, however old.
  bool is_past(const char* row, int64_t watermark) const override;

  // Whether the heap can grow by so much, and there is room for `timers` more.
  bool has_room(uint64_t growth, uint32_t timers) const;
  // `timer`: by number of the description. It fires once, at `due`.
  void set_timer(char* row, uint32_t timer, int64_t due);
  void cancel_timer(char* row, uint32_t timer);
  void let_go_of_timer(char* row, uint32_t timer) {
    cancel_timer(row, timer);
    ++let_go_;
  }
  // The row whose timer fires now.
  char* fired_row() const { return table_.find(fired_.data()); }

 private:
  struct Cell {
    int64_t set;
    int64_t due;
  };
  struct Waiting {
    int64_t due;
    std::vector<uint64_t> key;  // its texts lie in the heap of the table
    uint32_t rank;              // of the timer, by name
  };
  struct Earlier {
    const StoreDesc* desc;
    bool operator()(const Waiting& a, const Waiting& b) const;
  };
  Cell& cell_of(char* row, uint32_t timer) const;
  // Those that rows have and that are not in the queue yet.
  void queue_timers();
  Waiting waiting(const char* row, uint32_t timer, int64_t due) const;
  uint64_t bytes_each() const;

  Budget& budget_;
  std::vector<uint32_t> rank_of_;   // by timer
  std::vector<uint32_t> timer_of_;  // by rank
  std::set<Waiting, Earlier> queue_;
  std::vector<uint64_t> fired_;  // key
  uint64_t let_go_ = 0;
};

}  // namespace mut::state
