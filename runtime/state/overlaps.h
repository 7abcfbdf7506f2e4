// Sliding windows that keep rows of their own each: for aggregates whose states cannot be merged, so that
// panes are of no use. An event is added to every window that holds it. Windows that closed are kept for late
// events as long as the stage says.
#pragma once
#include <algorithm>
#include <map>
#include <optional>

#include "runtime/state/results.h"
#include "runtime/state/store.h"

namespace mut::state {

class OverlapStore final : public Store {
 public:
  OverlapStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return this; }
  int64_t due() const override;
  int64_t tick() const override { return tick_; }
  void note_tick(int64_t tick) override { tick_ = std::min(tick_, tick); }
  void fire(ResultRows& out) override;
  void release() override { fired_.clear(); }
  void advance(int64_t watermark) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

  // Finds the open windows of an event; how many. None: the event is late.
  uint32_t find(int64_t time);
  // One of those found last.
  MutTable* found(uint32_t index) { return found_[index]; }
  // What the windows found last give of a key at once: open ones at each update, closed ones always. `texts`
  // as for ResultRows. Valid until the next call.
  const ResultRows& update(const uint64_t* key, batch::Arena& texts);
  // The row of the event in one of them changed: the next tick gives it. `now`: the watermark.
  void mark_changed(char* row, int64_t time, int64_t now);

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  uint64_t seed_;
  Budget& budget_;
  int64_t end_of(int64_t start) const { return line_.time(start + line_.length(desc_.size)); }
  // Whether nothing can be asked any more of a window that ends there.
  bool is_over(int64_t end) const;
  int64_t next_close() const;
  bool changed(const char* row) const;
  void set_changed(char* row, uint64_t value) const;
  void fire_tick(ResultRows& out);
  void add_changed(int64_t start, ResultRows& out);
  void forget_over();

  calendar::ZoneLine line_;
  std::map<int64_t, std::unique_ptr<KeyedTable>> windows_;  // by start on the line
  std::vector<std::unique_ptr<KeyedTable>> fired_;          // until release()
  std::vector<MutTable*> found_;
  std::vector<int64_t> found_starts_;
  int64_t tick_ = never;  // the next one; never: nothing changed
  std::optional<ResultRows> updates_;
  const batch::Arena* update_texts_ = nullptr;
  int64_t closed_ = std::numeric_limits<int64_t>::min();  // windows that end by then are closed
  int64_t sealed_ = std::numeric_limits<int64_t>::min();  // windows that end by then were over at a cut
};

}  // namespace mut::state
