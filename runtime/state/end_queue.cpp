#include "runtime/state/end_queue.h"

#include <utility>

namespace mut::state {

EndQueue::Entry EndQueue::pop_soon() {
  bool is_beside = soon_.empty() || (!beside_.empty() && beside_.front().end < soon_.back().end);
  std::vector<Entry>& from = is_beside ? beside_ : soon_;
  if (is_beside) std::pop_heap(beside_.begin(), beside_.end(), is_later);
  Entry out = from.back();
  from.pop_back();
  return out;
}

void EndQueue::note_soon(std::vector<Entry> entries) {
  if (soon_.empty()) {
    std::sort(entries.begin(), entries.end(), is_later);
    soon_ = std::move(entries);
    return;
  }
  for (const Entry& entry : entries) {
    beside_.push_back(entry);
    std::push_heap(beside_.begin(), beside_.end(), is_later);
  }
}

void EndQueue::save(Saver& to) const {
  std::vector<Entry> soon = soon_;
  soon.insert(soon.end(), beside_.begin(), beside_.end());
  std::vector<Entry> later;
  for (const auto& [number, stretch] : later_)
    later.insert(later.end(), stretch.entries.begin(), stretch.entries.end());
  pass_plain(to, soon);
  pass_plain(to, later);
}

void EndQueue::load(Loader& from) {
  for (int part = 0; part < 2; ++part) {
    std::vector<Entry> entries;
    pass_plain(from, entries);
    for (const Entry& entry : entries) push(entry);
  }
}

}  // namespace mut::state
