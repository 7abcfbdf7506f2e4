// Tumbling and sliding windows: a table per pane, merged when a window closes. Cost per event does not
// depend on how many windows it is in. Hand-over of an edited length: several rules, each for windows
// that start in its range.
#pragma once
#include <map>
#include <optional>

#include "runtime/calendar/zone_line.h"
#include "runtime/state/store.h"

namespace mut::state {

// Windows [offset + k*every, … + size) whose start lies in [from, to), on the line of their zone.
struct WindowRule {
  int64_t size = 0;
  int64_t every = 0;
  int64_t offset = 0;
  int64_t from = std::numeric_limits<int64_t>::min();
  int64_t to = never;
};

class PaneStore final : public Store {
 public:
  PaneStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return &view_; }
  int64_t due() const override;
  void fire(ResultRows& out) override;
  void release() override;
  void advance(int64_t watermark) override;
  void finish(ResultRows&) override {}
  uint64_t entry_count() const override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  bool can_take_over(const Store& old, const std::vector<int>& cells) const override;
  void take_over(std::shared_ptr<Store> old, const std::vector<int>& cells, int64_t watermark) override;
  void take_piece(uint64_t entries) override;
  uint64_t left_to_take() const override;
  void return_from(const Store& parked, const std::vector<int>& cells) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // The table for an event at `time`, or null when all its windows are closed (counted late).
  MutTable* pane_for(int64_t time);
  // After an event of `key` at `time`: what its windows give now. Open ones give at each update, closed ones
  // that are kept for late events always. `now`: the watermark. `texts` as for ResultRows.
  const ResultRows& update(const uint64_t* key, int64_t time, int64_t now, batch::Arena& texts);
  // An event at `time` changed the group of that row: the next tick gives it. `now`: the watermark.
  void mark_changed(char* row, int64_t time, int64_t now);
  // Panes that hold something, by time: `visit(begin, table)`. What a window gives is made of them.
  template <typename Visit>
  void for_each_pane(Visit visit) {
    for (auto& [start, table] : panes_) visit(line_.time(start), *table);
  }
  // Event time from which the newest rule holds; the lowest time when it always did.
  // Behind the last window that is open in this shard: the windows of an edit begin no sooner. All shards
  // take them at one time, so each is told the greatest.
  std::optional<int64_t> open_boundary() const { return last_open_boundary(); }
  void know_open_boundary(std::optional<int64_t> of_all) { open_in_any_ = of_all; }
  int64_t handed_over_at() const { return line_.time(rules_.back().from); }

 private:
  int64_t next_close() const;
  void fire_tick(ResultRows& out);
  // Results of the groups of a window that changed since the last tick, by key.
  void add_changed(int64_t start, int64_t end, ResultRows& out);
  bool changed(const char* row) const;
  void set_changed(char* row, uint64_t value) const;
  // Windows of any rule that hold a pane, as end and start.
  std::vector<std::pair<int64_t, int64_t>> windows_of(int64_t pane) const;
  void add_group(const uint64_t* key, int64_t start, int64_t end, ResultRows& out);
  // Adds a row of one pane to a row of another table, values of distinct cells aside.
  void merge_row(KeyedTable& from, char* row, KeyedTable& to, char* target);
  // Whether nothing can be asked any more of a window that ends there.
  bool is_over(int64_t end) const {
    int64_t time = line_.time(end);
    return time <= sealed_ || time + desc_.late_within <= closed_;
  }
  // Windows that end by then are closed.
  void close(int64_t time);
  WindowRule rule_of(const StoreDesc& desc) const;
  // At a cut: what is over stays over, however long the next version keeps closed windows.
  void seal(int64_t watermark, int64_t late_within);
  int64_t pane_start(int64_t time) const;
  // Earliest end after `closed_` of a window that holds pane `start`; never: none.
  int64_t next_end(int64_t start) const;
  int64_t last_end(int64_t start) const;
  void make_width();
  // The rule of an edited window: at once when nothing else holds, else from a boundary on.
  std::optional<int64_t> last_open_boundary() const;
  void take_rule(const WindowRule& next, int64_t watermark);
  // What holds for all windows of the old store, before its panes.
  void take_course(const PaneStore& old, int64_t watermark);
  void forget_closed();

  uint64_t seed_;
  Budget& budget_;
  // Starts and ends of panes and windows are places on the line; closed_, sealed_ and ticks are times.
  calendar::ZoneLine line_;
  std::vector<WindowRule> rules_;
  std::optional<int64_t> open_in_any_;  // shard, at a cut
  int64_t width_ = 0;                   // of a pane
  std::map<int64_t, std::unique_ptr<KeyedTable>> panes_;
  int64_t closed_ = std::numeric_limits<int64_t>::min();     // windows that end by then are closed
  int64_t closed_at_ = std::numeric_limits<int64_t>::min();  // the same on the line
  int64_t sealed_ = std::numeric_limits<int64_t>::min();     // windows that end by then were over at a cut
  MutWindow view_{};
  std::vector<std::unique_ptr<KeyedTable>> merged_;  // until release()
  int64_t tick_ = never;                             // the next one; never: nothing changed
  std::optional<ResultRows> updates_;                // of the last update()
  const batch::Arena* update_texts_ = nullptr;       // where their texts are
};

}  // namespace mut::state
