// When sessions end, as far as is known: each of them stands here once, under an end that it had or has. The
// end that it has now is asked for some time before the other one is reached, of many sessions at a time, so
// that an event which makes a session longer costs nothing here, and few ends are reached in vain. One
// thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "runtime/state/saved.h"

namespace mut::state {

class EndQueue {
 public:
  static constexpr int64_t none = std::numeric_limits<int64_t>::max();
  struct Entry {
    int64_t end;      // at most that of the session
    uint64_t number;  // of the session
    uint64_t hash;    // of its key
  };

  // Ends of a stretch of so many nanoseconds are asked for together: few sessions grow in it, many end.
  explicit EndQueue(int64_t stretch) : stretch_(std::max<int64_t>(stretch, 1)) {}

  // All entries as bytes, both ways.
  void save(Saver& to) const;
  void load(Loader& from);

  // The first end that is known; none: nothing stands here.
  int64_t first_end() const { return std::min(first_of_soon(), first_of_later()); }
  void push(const Entry& entry) {
    Stretch& of = later_[number_of(entry.end)];
    of.first_end = std::min(of.first_end, entry.end);
    of.entries.push_back(entry);
  }
  // Takes the entries of `end`, the first one, out and gives each to `visit`. Those that end in the same
  // stretch are asked for before: `end_now(entry)` is the end that its session has now; none: there is no
  // such session any more.
  template <typename EndNow, typename Visit>
  void take(int64_t end, EndNow end_now, Visit visit) {
    if (first_of_later() == end) ask(end_now);
    while (first_of_soon() == end) visit(pop_soon());
  }

 private:
  struct Stretch {
    int64_t first_end = none;
    std::vector<Entry> entries;
  };

  // Of the stretch that an end is in.
  int64_t number_of(int64_t end) const { return end / stretch_ - static_cast<int64_t>(end % stretch_ < 0); }
  static bool is_later(const Entry& a, const Entry& b) { return a.end > b.end; }
  int64_t first_of_later() const { return later_.empty() ? none : later_.begin()->second.first_end; }
  int64_t first_of_soon() const {
    return std::min(soon_.empty() ? none : soon_.back().end, beside_.empty() ? none : beside_.front().end);
  }
  Entry pop_soon();
  // Those of the first stretch.
  template <typename EndNow>
  void ask(EndNow end_now) {
    auto first = later_.begin();
    int64_t number = first->first;
    std::vector<Entry> entries = std::move(first->second.entries);
    later_.erase(first);
    size_t still = 0;
    for (Entry& entry : entries) {
      entry.end = end_now(entry);
      if (entry.end == none) continue;
      if (number_of(entry.end) > number) {
        push(entry);
      } else {
        entries[still++] = entry;
      }
    }
    entries.resize(still);
    note_soon(std::move(entries));
  }
  void note_soon(std::vector<Entry> entries);

  int64_t stretch_;
  std::map<int64_t, Stretch> later_;  // by number of the stretch
  // Of those that were asked for: in order, the first one last, and a heap of those that came while some were
  // left.
  std::vector<Entry> soon_;
  std::vector<Entry> beside_;
};

}  // namespace mut::state
