#include "runtime/state/processes.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/state/own_cells.h"

namespace mut::state {

bool ProcessStore::Earlier::operator()(const Waiting& a, const Waiting& b) const {
  if (a.due != b.due) return a.due < b.due;
  int order = compare_keys(*desc, a.key.data(), b.key.data());
  return order != 0 ? order < 0 : a.rank < b.rank;
}

ProcessStore::ProcessStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : GroupStore(std::move(desc), seed, budget), budget_(budget), queue_(Earlier{&desc_}) {
  timer_of_.resize(desc_.timers.size());
  std::iota(timer_of_.begin(), timer_of_.end(), 0U);
  std::sort(timer_of_.begin(), timer_of_.end(),
            [&](uint32_t a, uint32_t b) { return desc_.timers[a] < desc_.timers[b]; });
  rank_of_.resize(timer_of_.size());
  for (uint32_t rank = 0; rank < timer_of_.size(); ++rank) rank_of_[timer_of_[rank]] = rank;
}

ProcessStore::~ProcessStore() { budget_.remove(queue_.size() * bytes_each()); }

// With what a tree adds to each.
uint64_t ProcessStore::bytes_each() const { return sizeof(Waiting) + 32 + desc_.key_words * 8U + 16; }

ProcessStore::Cell& ProcessStore::cell_of(char* row, uint32_t timer) const {
  size_t first = desc_.cells.size() - desc_.timers.size();
  return *reinterpret_cast<Cell*>(row + desc_.cells[first + timer].offset);
}

ProcessStore::Waiting ProcessStore::waiting(const char* row, uint32_t timer, int64_t due) const {
  Waiting out{due, std::vector<uint64_t>(desc_.key_words + size_t{1}), rank_of_[timer]};
  table_.load_key(row, out.key.data());
  return out;
}

bool ProcessStore::is_past(const char* row, int64_t watermark) const {
  if (!GroupStore::is_past(row, watermark)) return false;
  for (uint32_t timer = 0; timer < desc_.timers.size(); ++timer) {
    if (cell_of(const_cast<char*>(row), timer).set != 0) return false;
  }
  return true;
}

bool ProcessStore::has_room(uint64_t growth, uint32_t timers) const {
  uint64_t bytes = growth + timers * bytes_each();
  return bytes == 0 || (growth < never_fits_bytes && budget_.fits(bytes));
}

void ProcessStore::set_timer(char* row, uint32_t timer, int64_t due) {
  cancel_timer(row, timer);
  cell_of(row, timer) = {1, due};
  queue_.insert(waiting(row, timer, due));
  budget_.add(bytes_each());
}

void ProcessStore::cancel_timer(char* row, uint32_t timer) {
  Cell& cell = cell_of(row, timer);
  if (cell.set == 0) return;
  queue_.erase(waiting(row, timer, cell.due));
  budget_.remove(bytes_each());
  cell = {0, 0};
}

void ProcessStore::fire(ResultRows& rows) {
  if (queue_.empty()) return;
  Waiting first = *queue_.begin();
  uint32_t timer = timer_of_[first.rank];
  cancel_timer(table_.find(first.key.data()), timer);
  rows.add_timer(first.key.data(), timer, first.due);
  fired_ = std::move(first.key);
}

void ProcessStore::convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) {
  GroupStore::convert_from(old, cells, watermark);
  let_go_ += old.let_go_count();
  queue_timers();
}

bool ProcessStore::can_take_over(const Store& old, const std::vector<int>& cells) const {
  return old.desc().kind == StoreKind::Process && desc_.timers.empty() && old.desc().timers.empty() &&
         converts_apart(old.desc(), desc_, cells);
}

void ProcessStore::return_from(const Store& parked, const std::vector<int>& cells) {
  GroupStore::return_from(parked, cells);
  queue_timers();
}

void ProcessStore::queue_timers() {
  table_.for_each([&](char* row) {
    for (uint32_t timer = 0; timer < desc_.timers.size(); ++timer) {
      const Cell& cell = cell_of(row, timer);
      if (cell.set == 0) continue;
      // Those of another shard that went over before are there already.
      if (queue_.insert(waiting(row, timer, cell.due)).second) budget_.add(bytes_each());
    }
  });
}

}  // namespace mut::state
