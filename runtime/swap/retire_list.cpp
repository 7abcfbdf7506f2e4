#include "runtime/swap/retire_list.h"

#include <algorithm>
#include <utility>

namespace mut::runtime {

RetireList::Worker& RetireList::add_worker() {
  std::lock_guard lock(mutex_);
  workers_.push_back(std::make_unique<Worker>(*this));
  return *workers_.back();
}

void RetireList::add(std::shared_ptr<void> what, uint64_t version) {
  if (!what) return;
  std::lock_guard lock(mutex_);
  retired_.push_back({std::move(what), version, epoch_.fetch_add(1) + 1});
}

// Why a worker that comes out of its rest right now is safe: it is seen as resting only if it has not yet
// said that it begins a batch. Then its look-up comes after that, and so after the exchange before retire().
size_t RetireList::reclaim() {
  std::vector<std::shared_ptr<void>> gone;  // let go outside of the lock: unlinking takes its time
  std::lock_guard lock(mutex_);
  uint64_t slowest = resting;
  for (const auto& worker : workers_) slowest = std::min(slowest, worker->seen_.load());
  while (!retired_.empty() && retired_.front().epoch <= slowest) {
    gone.push_back(std::move(retired_.front().what));
    retired_.pop_front();
  }
  return retired_.size();
}

std::set<uint64_t> RetireList::waiting() {
  std::lock_guard lock(mutex_);
  std::set<uint64_t> out;
  for (const Retired& each : retired_) {
    if (each.version != 0) out.insert(each.version);
  }
  return out;
}

}  // namespace mut::runtime
