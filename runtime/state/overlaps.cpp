#include "runtime/state/overlaps.h"

#include <algorithm>

namespace mut::state {

OverlapStore::OverlapStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)), seed_(seed), budget_(budget), line_(line_of(desc_)) {}

uint32_t OverlapStore::find(int64_t time) {
  found_.clear();
  int64_t at = line_.at(time);
  int64_t every = line_.length(desc_.every);
  int64_t into = (at - offset_on_line(desc_)) % every;
  if (into < 0) into += every;
  bool missed = false;
  // From the last window that begins by then, backwards.
  for (int64_t start = at - into; start > at - line_.length(desc_.size); start -= every) {
    if (end_of(start) <= closed_) {
      missed = true;
      break;
    }
    auto& window = windows_[start];
    if (!window) window = std::make_unique<KeyedTable>(desc_, seed_, budget_);
    found_.push_back(window->view());
  }
  if (missed) ++late_;
  return static_cast<uint32_t>(found_.size());
}

int64_t OverlapStore::due() const { return windows_.empty() ? never : end_of(windows_.begin()->first); }

void OverlapStore::fire(ResultRows& out) {
  auto first = windows_.begin();
  int64_t end = end_of(first->first);
  out.add_table(*first->second, line_.time(first->first), end, [&](const char*) { return end - 1; });
  fired_.push_back(std::move(first->second));
  windows_.erase(first);
  closed_ = std::max(closed_, end);
}

void OverlapStore::advance(int64_t watermark) {
  closed_ = std::max(closed_, watermark);
  while (!windows_.empty() && due() <= closed_) windows_.erase(windows_.begin());
}

uint64_t OverlapStore::entry_count() const {
  uint64_t out = 0;
  for (const auto& [start, window] : windows_) out += window->row_count();
  return out;
}

// The windows are the same: the comparison lets no others in.
void OverlapStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const OverlapStore&>(old_store);
  late_ = old.late_;
  closed_ = std::max({closed_, old.closed_, watermark});
  std::vector<uint64_t> key(key_room(old.desc_));
  for (const auto& [start, table] : old.windows_) {
    auto& window = windows_[start];
    if (!window) window = std::make_unique<KeyedTable>(desc_, seed_, budget_);
    table->for_each([&, from = table.get()](char* row) {
      from->load_key(row, key.data());
      if (!place_key(old.desc_, key.data())) return;
      char* made = window->find_or_insert(key.data());
      if (made == nullptr) return note(key.data(), no_memory);
      convert_row(*from, row, *window, made, cells);
    });
  }
}

}  // namespace mut::state
