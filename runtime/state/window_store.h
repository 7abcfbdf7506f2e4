// Windows on the line of time, and those of another kind that an edit left open.
//
// From one kind of window to another an edit hands over at an instant: earlier events belong to windows of
// the old kind, which stay in a store of their own inside of the new one until the last of them is over. Rows
// of both have the same layout, so that one kernel adds to either.
#pragma once
#include <algorithm>
#include <optional>

#include "runtime/state/store.h"
#include "runtime/state/ticking.h"

namespace mut::state {

// What of a store is open at a cut, in any shard.
struct OpenWindows {
  // Behind the last of them, on the line of the store: the greatest start and a step, or the end of a
  // session.
  std::optional<int64_t> boundary;
  std::optional<int64_t> end;  // of the one that ends last, on the same line
  bool of_newest = false;      // one of them follows the newest rule
};

// One thread, as every store.
class WindowStore : public Store {
 public:
  WindowStore(StoreDesc desc, uint64_t seed, Budget& budget)
      : Store(std::move(desc)), seed_(seed), budget_(budget) {}

  void count_spare() override {
    if (earlier_) earlier_->count_spare();
  }
  int64_t due() const final;
  int64_t tick() const override { return tick_; }
  void note_tick(int64_t tick) override { tick_ = std::min(tick_, tick); }
  void fire(ResultRows& out) final;
  void release() final;
  void advance(int64_t watermark) final;
  uint64_t entry_count() const final;
  void save(Saver& to) const final;
  void load(Loader& from) final;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) final;
  void return_from(const Store& parked, const std::vector<int>& cells) final;

  // The table with the row that an event of `key` at `time` changes; a new row of the key in it is as good.
  // Null: all of its windows are over, and it was counted late.
  MutTable* table_of(const uint64_t* key, int64_t time);
  // What the windows of the last event, of `key` at `time`, give at once: open ones at each update, closed
  // ones that are kept for late events always. `now`: the watermark. Texts lie in `texts`. Valid until the
  // next call.
  const ResultRows& update(const uint64_t* key, int64_t time, int64_t now, batch::Arena& texts);
  // The last event, at `time`, changed that row: the next tick gives it. `now`: the watermark.
  void mark_changed(char* row, int64_t time, int64_t now);
  // Whether cells that keep values may take one of that much text each, from such an event.
  bool has_room_for(const uint64_t* key, int64_t time, uint64_t text_bytes);

  virtual OpenWindows open_windows() const = 0;
  // When the last window that is open ends.
  virtual std::optional<int64_t> open_until() const = 0;
  // Before a conversion or retune() of several shards: they hand over at one time.
  void know_open_windows(const OpenWindows& of_all) { open_in_any_ = of_all; }

 protected:
  // An event of a time that is its own. Each as above.
  virtual MutTable* own_table(const uint64_t* key, int64_t time) = 0;
  virtual const ResultRows& own_update(const uint64_t* key, int64_t time, int64_t now, ResultRows& out) = 0;
  virtual void mark_row(char* row) = 0;
  virtual bool own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) = 0;

  // When the next of its own windows closes, or earlier: then fire_close() adds nothing; never: none is open.
  virtual int64_t next_close() const = 0;
  virtual void fire_close(ResultRows& out) = 0;
  // Ends and starts of open windows that may hold a group that changed since the last tick; then what of one
  // did, in order of key; then all is told.
  using Extent = std::pair<int64_t, int64_t>;
  virtual std::vector<Extent> ticking() = 0;
  // The same as times, which those of stores on other lines can be compared with.
  virtual Extent in_time(Extent window) const { return window; }
  virtual void add_changed(Extent window, ResultRows& out) = 0;
  virtual void all_told() = 0;
  virtual void release_rows() = 0;
  virtual void reach(int64_t watermark) = 0;
  virtual uint64_t own_entries() const = 0;
  // As save() and load(); the base does times and what is before.
  virtual void save_entries(Saver& to) const = 0;
  virtual void load_entries(Loader& from) = 0;
  // From a store of the same kind; the base has taken times and what is before.
  virtual void take_entries(const WindowStore& old, const std::vector<int>& cells, int64_t watermark) = 0;
  virtual void give_back(const WindowStore& parked, const std::vector<int>& cells) = 0;

  // The least time at which all windows that are open have ended, and no other that an event before it is in;
  // nothing: no event was seen yet.
  virtual std::optional<int64_t> next_end_of_all(const OpenWindows& open, int64_t watermark) const = 0;
  // The least boundary of its rule at or after a time.
  virtual int64_t edge_from(int64_t time) const = 0;
  virtual void begin_at(int64_t time) = 0;
  // No window of it ends later.
  virtual void end_at(int64_t time) = 0;
  // Whether it holds nothing, and no event before `to` can change that.
  virtual bool is_spent(int64_t to) const = 0;

  OpenWindows open_now(const WindowStore& old) const { return open_in_any_.value_or(old.open_windows()); }
  // At a cut: what is over stays over, however long the next version keeps closed windows.
  void seal(int64_t watermark, int64_t late_within);
  // Another description of the same entries, for what is before too.
  void take_terms(const StoreDesc& next);
  // Times of the old store and what it counted.
  void take_times(const WindowStore& old);
  bool has_closed() const { return closed_ != std::numeric_limits<int64_t>::min(); }

  uint64_t seed_;
  Budget& budget_;
  int64_t closed_ = std::numeric_limits<int64_t>::min();  // windows that end by then are closed
  int64_t sealed_ = std::numeric_limits<int64_t>::min();  // windows that end by then were over at a cut
  int64_t tick_ = never;                                  // the next one; never: nothing changed
  // Earlier events are those of `earlier_`, or late when it is gone.
  int64_t from_ = std::numeric_limits<int64_t>::min();
  std::unique_ptr<WindowStore> earlier_;

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  bool is_earlier(int64_t time) const { return time < from_; }
  int64_t close_before() const;
  void fire_tick(ResultRows& out);
  // Windows of the kind of `of`, which go on here as those of an earlier kind.
  void take_before(const WindowStore& of, const std::vector<int>& cells, int64_t watermark);
  void forget_before();
  void clear_updates() { updates_.reset(); }

  std::optional<OpenWindows> open_in_any_;  // shard, at a cut
  std::optional<ResultRows> updates_;       // of the last update()
  const batch::Arena* update_texts_ = nullptr;
};

}  // namespace mut::state
