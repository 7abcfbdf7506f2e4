// When sessions end, as far as is known: each of them stands here once, under an end that it had or has. The
// end that it has now is asked for some time before the other one is reached, of many sessions at a time, so
// that an event which makes a session longer costs nothing here, and few ends are reached in vain. One
// thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
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

  // All entries as bytes, both ways.
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self) {
    pass_plain(io, self.soon_);
    pass_plain(io, self.later_);
  }

  // The first end that is known; none: nothing stands here.
  int64_t first_end() const { return std::min(first_of(soon_), first_of(later_)); }
  void push(const Entry& entry) { push(later_, entry); }
  // Takes the entries of `end`, the first one, out and gives each to `visit`. Those that end up to `ahead`
  // behind are asked for before: `end_now(entry)` is the end that its session has now; none: there is
  // no such session any more.
  template <typename EndNow, typename Visit>
  void take(int64_t end, int64_t ahead, EndNow end_now, Visit visit) {
    if (first_of(later_) == end) look_ahead(end, ahead, end_now);
    while (first_of(soon_) == end) visit(pop(soon_));
  }

 private:
  using Heap = std::vector<Entry>;
  static bool is_later(const Entry& a, const Entry& b) { return a.end > b.end; }
  static int64_t first_of(const Heap& heap) { return heap.empty() ? none : heap.front().end; }
  static void push(Heap& heap, const Entry& entry) {
    heap.push_back(entry);
    std::push_heap(heap.begin(), heap.end(), is_later);
  }
  static Entry pop(Heap& heap) {
    std::pop_heap(heap.begin(), heap.end(), is_later);
    Entry out = heap.back();
    heap.pop_back();
    return out;
  }
  template <typename EndNow>
  void look_ahead(int64_t end, int64_t ahead, EndNow end_now) {
    int64_t limit = end > none - 1 - ahead ? none - 1 : end + ahead;
    while (first_of(later_) <= limit) {
      Entry entry = pop(later_);
      entry.end = end_now(entry);
      if (entry.end != none) push(entry.end <= limit ? soon_ : later_, entry);
    }
  }

  Heap soon_;   // of those that were asked for
  Heap later_;  // of the others
};

}  // namespace mut::state
