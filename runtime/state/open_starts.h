// The starts of a key that are not decided, by event. One that waits for those before it is a number and no
// more.
#pragma once
#include <algorithm>

#include "runtime/state/pattern_search.h"

namespace mut::state {

class OpenStarts {
 public:
  size_t size() const { return searched_.size() + pending_.size() - taken_; }
  bool empty() const { return size() == 0; }
  uint64_t first_event() const { return searched_.empty() ? pending_[taken_] : searched_.front().event; }

  void add(uint64_t event) { pending_.push_back(event); }
  // The first one, to be searched.
  PatternStart& front() {
    if (searched_.empty()) search_next();
    return searched_.front();
  }
  // All of them, to be searched.
  std::vector<PatternStart>& all() {
    while (taken_ < pending_.size()) search_next();
    compact();
    return searched_;
  }
  void pop_front() {
    if (searched_.empty()) {
      ++taken_;
      compact();
    } else {
      searched_.erase(searched_.begin());
    }
  }
  // Up to that event, included.
  void pop_through(uint64_t event) {
    std::erase_if(searched_, [&](const PatternStart& start) { return start.event <= event; });
    auto first = pending_.begin() + static_cast<ptrdiff_t>(taken_);
    taken_ = static_cast<size_t>(std::upper_bound(first, pending_.end(), event) - pending_.begin());
    compact();
  }

  // Forgets how far each was searched: with another deadline other events are asked.
  void search_anew() {
    for (PatternStart& start : searched_) {
      uint64_t event = start.event;
      start = {};
      start.event = event;
    }
  }

  // All of them as bytes, both ways.
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self) {
    pass_each(io, self.searched_, sizeof(uint64_t), [](Io& of, auto& start) { start.pass(of, start); });
    pass_plain(io, self.pending_);
    io.value(self.taken_);
  }

  size_t bytes() const {
    size_t out = searched_.capacity() * sizeof(PatternStart) + pending_.capacity() * sizeof(uint64_t);
    for (const PatternStart& start : searched_) out += start.extra_bytes();
    return out;
  }

 private:
  void search_next() {
    PatternStart start;
    start.event = pending_[taken_++];
    searched_.push_back(std::move(start));
  }
  // What was taken goes once it is the larger part, so that each number moves a few times at most.
  void compact() {
    if (taken_ * 2 < pending_.size()) return;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken_));
    taken_ = 0;
  }

  std::vector<PatternStart> searched_;
  std::vector<uint64_t> pending_;
  size_t taken_ = 0;  // of pending_
};

}  // namespace mut::state
