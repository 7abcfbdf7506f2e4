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

// The entries of the first stretch. One may have some in its place and others that came when it was not free.
std::vector<EndQueue::Entry> EndQueue::take_later(int64_t number) {
  std::vector<Entry> out;
  Stretch& near = near_[static_cast<uint64_t>(number) % near_.size()];
  if (near.number == number) out = std::exchange(near.entries, {});
  if (!far_.empty() && far_.begin()->first == number) {
    const std::vector<Entry>& more = far_.begin()->second.entries;
    out.insert(out.end(), more.begin(), more.end());
    far_.erase(far_.begin());
  }
  first_of_later_ = far_.empty() ? none : far_.begin()->second.first_end;
  for (const Stretch& each : near_) {
    if (!each.entries.empty()) first_of_later_ = std::min(first_of_later_, each.first_end);
  }
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
  for (const Stretch& stretch : near_)
    later.insert(later.end(), stretch.entries.begin(), stretch.entries.end());
  for (const auto& [number, stretch] : far_)
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
