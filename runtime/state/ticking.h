// When what changed is to be given: the watermark passes a multiple of a duration (rule 8.15).
#pragma once
#include <algorithm>
#include <limits>

#include "runtime/state/groups.h"

namespace mut::state {

// The tick that tells of what an event changed: the one that is planned, or else the first multiple of
// `every` behind the watermark; while there is no watermark, and once the input has ended, behind the oldest
// of such events, whichever came first.
inline int64_t next_tick(int64_t planned, int64_t watermark, int64_t event, int64_t every) {
  constexpr int64_t none = std::numeric_limits<int64_t>::min();
  constexpr int64_t ended = std::numeric_limits<int64_t>::max();
  bool flows = watermark != none && watermark != ended;
  if (flows && planned != never) return planned;
  int64_t from = flows ? watermark : event;
  int64_t rest = from % every;
  if (rest < 0) rest += every;
  int64_t out;
  if (__builtin_add_overflow(from, every - rest, &out)) out = never - 1;
  return std::min(planned, out);
}

// Groups without a window of time, with `trigger every`: at a tick the groups that changed since the one
// before. A group is not forgotten before it was given.
class TickingGroupStore : public GroupStore {
 public:
  using GroupStore::GroupStore;
  int64_t due() const override { return tick_; }
  int64_t tick() const override { return tick_; }
  void note_tick(int64_t tick) override { tick_ = std::min(tick_, tick); }
  void save(Saver& to) const override;
  void load(Loader& from) override;
  void fire(ResultRows& out) override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  bool is_past(const char* row, int64_t watermark) const override;
  // An event at `time` changed the group of that row. `now`: the watermark.
  void mark_changed(char* row, int64_t time, int64_t now);

 protected:
  bool changed(const char* row) const;
  void set_changed(char* row, uint64_t value) const;
  // In order of key; nothing has changed then.
  std::vector<const char*> take_changed();

 private:
  int64_t tick_ = never;  // the next one; never: nothing changed
};

}  // namespace mut::state
