// Tumbling and sliding windows: a table per pane, merged when a window closes. Cost per event does not
// depend on how many windows it is in. Hand-over of an edited length: several rules, each for windows
// that start in its range.
#pragma once
#include <optional>

#include "runtime/calendar/zone_line.h"
#include "runtime/state/sliding_totals.h"
#include "runtime/state/window_store.h"

namespace mut::state {

// Windows [offset + k*every, … + size) whose start lies in [from, to), on the line of their zone.
struct WindowRule {
  int64_t size = 0;
  int64_t every = 0;
  int64_t offset = 0;
  int64_t from = std::numeric_limits<int64_t>::min();
  int64_t to = never;
};

class PaneStore final : public WindowStore {
 public:
  PaneStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return &view_; }
  void finish(ResultRows&) override {}
  void count_spare() override {
    WindowStore::count_spare();
    totals_.count_in_full();
  }
  // Groups that BestRows leaves out, or left out; they count for the stage that it names.
  uint64_t let_go_count() const override { return passed_over_; }
  const std::string& let_go_path() const override { return passed_by_.empty() ? desc_.path : passed_by_; }
  void forget_let_go() override { passed_over_ = 0; }
  bool can_take_over(const Store& old, const std::vector<int>& cells) const override;
  void take_over(std::shared_ptr<Store> old, const std::vector<int>& cells, int64_t watermark,
                 std::shared_ptr<KeyChange> change) override;
  void take_piece(uint64_t entries) override;
  uint64_t left_to_take() const override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;
  OpenWindows open_windows() const override;
  std::optional<int64_t> open_until() const override;

  // When the next window ends behind that time, whether or not it holds something.
  int64_t next_boundary(int64_t watermark) const;
  // Several shards share its rows, the first has all before a window ends. One that holds nothing cuts its
  // panes as the first does from here on: what an edit of the window left is over there.
  void follow(const PaneStore& first);
  // Whether an event may go to this one instead of the first: panes are cut alike, and nothing waits to be
  // taken over.
  bool can_share(const PaneStore& first) const;
  // All that the other one has.
  void gather(PaneStore& other);

  // Panes that hold something, by time: `visit(begin, table)`. What a window gives is made of them.
  template <typename Visit>
  void for_each_pane(Visit visit) {
    for (auto& [start, table] : panes_) visit(line_.time(start), *table);
  }

 protected:
  // The table of the pane of an event.
  MutTable* own_table(const uint64_t* key, int64_t time) override;
  const ResultRows& own_update(const uint64_t* key, int64_t time, int64_t now, ResultRows& out) override;
  void mark_row(char* row) override { set_changed(row, 1); }
  bool own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) override;
  int64_t next_close() const override { return line_.time(next_end()); }
  void fire_close(ResultRows& out) override;
  std::vector<Extent> ticking() override;
  Extent in_time(Extent window) const override {
    return {line_.time(window.first), line_.time(window.second)};
  }
  void add_changed(Extent window, ResultRows& out) override;
  void all_told() override;
  void release_rows() override;
  void reach(int64_t watermark) override;
  uint64_t own_entries() const override;
  void save_entries(Saver& to) const override;
  void load_entries(Loader& from) override;
  void take_entries(const WindowStore& old, const std::vector<int>& cells, int64_t watermark) override;
  void give_back(const WindowStore& parked, const std::vector<int>& cells) override;
  std::optional<int64_t> next_end_of_all(const OpenWindows& open, int64_t watermark) const override;
  int64_t edge_from(int64_t time) const override;
  void begin_at(int64_t time) override;
  void end_at(int64_t time) override;
  bool is_spent(int64_t to) const override;

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  // The place on the line where the next window to close ends; never: none is open.
  int64_t next_end() const;
  bool changed(const char* row) const;
  void set_changed(char* row, uint64_t value) const;
  // Windows of any rule that hold a pane, as end and start.
  std::vector<std::pair<int64_t, int64_t>> windows_of(int64_t pane) const;
  void add_group(const uint64_t* key, int64_t start, int64_t end, ResultRows& out);
  // The groups of the panes that begin in [start, end), until release() or the next call.
  const KeyedTable& groups_of(int64_t start, int64_t end);
  void give_window(const KeyedTable& groups, int64_t start, int64_t end_time, ResultRows& out);
  void merge_distinct(KeyedTable& from, KeyedTable& to);
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
  int64_t pane_start(int64_t time) const;
  // Earliest end after `closed_` of a window that holds pane `start`; never: none.
  int64_t next_end(int64_t start) const;
  int64_t last_end(int64_t start) const;
  void make_width();
  // The rule of an edited window: at once when nothing was seen yet, else from a boundary on.
  void take_rule(const WindowRule& next, const OpenWindows& open, int64_t watermark);
  // The least place from which the newest rule may end (live-change.md 2.6), as a boundary of it.
  std::optional<int64_t> edge_of_newest(const OpenWindows& open, int64_t watermark) const;
  void take_course(const PaneStore& old, int64_t watermark);
  void forget_closed();

  // Starts and ends of panes and windows are places on the line; closed_, sealed_ and ticks are times.
  calendar::ZoneLine line_;
  std::vector<WindowRule> rules_;
  int64_t width_ = 0;  // of a pane
  SlidingTotals::Panes panes_;
  SlidingTotals totals_{desc_, seed_, budget_};  // what the last window held, where can_take_out()
  uint64_t passed_over_ = 0;
  std::string passed_by_;    // BestRows::path of those
  uint64_t rows_usual_ = 0;  // of the last pane: the next is likely to have as many
  int64_t closed_at_ = std::numeric_limits<int64_t>::min();  // closed_ on the line
  MutWindow view_{};
  std::vector<std::unique_ptr<KeyedTable>> merged_;  // until release()
};

}  // namespace mut::state
