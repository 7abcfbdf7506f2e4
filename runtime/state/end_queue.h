// When sessions end, as far as is known: each of them stands here once, under an end that it had or has. The
// end that it has now is asked for some time before the other one is reached, of many sessions at a time, so
// that an event which makes a session longer costs nothing here, and few ends are reached in vain. One
// thread.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
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

  // Ends of a stretch of about so many nanoseconds are asked for together: few sessions grow in it, many end.
  explicit EndQueue(int64_t stretch)
      : shift_(static_cast<int>(std::bit_width(static_cast<uint64_t>(std::max<int64_t>(stretch, 1)))) - 1) {}

  // All entries as bytes, both ways.
  void save(Saver& to) const;
  void load(Loader& from);

  // The first end that is known; none: nothing stands here.
  int64_t first_end() const { return std::min(first_of_soon(), first_of_later_); }
  void push(const Entry& entry) {
    int64_t number = entry.end >> shift_;
    Stretch* of = &near_[static_cast<uint64_t>(number) % near_.size()];
    if (!of->entries.empty() && of->number != number) of = &far_[number];
    if (of->entries.empty()) *of = {number, none, {}};
    of->first_end = std::min(of->first_end, entry.end);
    of->entries.push_back(entry);
    first_of_later_ = std::min(first_of_later_, entry.end);
  }
  // Takes the entries of `end`, the first one, out and gives each to `visit`. Those that end in the same
  // stretch are asked for before: `end_now(entry)` is the end that its session has now; none: there is no
  // such session any more.
  template <typename EndNow, typename Visit>
  void take(int64_t end, EndNow end_now, Visit visit) {
    if (first_of_later_ == end) ask(end_now);
    while (first_of_soon() == end) visit(pop_soon());
  }

 private:
  struct Stretch {
    int64_t number = 0;
    int64_t first_end = none;
    std::vector<Entry> entries;
  };
  // More than a gap has, so that most stretches are found by their number alone.
  static constexpr size_t near_stretches = 64;

  static bool is_later(const Entry& a, const Entry& b) { return a.end > b.end; }
  int64_t first_of_soon() const {
    return std::min(soon_.empty() ? none : soon_.back().end, beside_.empty() ? none : beside_.front().end);
  }
  Entry pop_soon();
  // Those of the first stretch.
  template <typename EndNow>
  void ask(EndNow end_now) {
    int64_t number = first_of_later_ >> shift_;
    std::vector<Entry> entries = take_later(number);
    size_t still = 0;
    for (Entry& entry : entries) {
      entry.end = end_now(entry);
      if (entry.end == none) continue;
      if (entry.end >> shift_ > number) {
        push(entry);
      } else {
        entries[still++] = entry;
      }
    }
    entries.resize(still);
    note_soon(std::move(entries));
  }
  std::vector<Entry> take_later(int64_t number);
  void note_soon(std::vector<Entry> entries);

  int shift_;  // end >> shift_ is the number of its stretch
  int64_t first_of_later_ = none;
  std::array<Stretch, near_stretches> near_;  // by the low bits of their number; without entries: none
  std::map<int64_t, Stretch> far_;            // those whose place another has
  // Of those that were asked for: in order, the first one last, and a heap of those that came while some were
  // left.
  std::vector<Entry> soon_;
  std::vector<Entry> beside_;
};

}  // namespace mut::state
