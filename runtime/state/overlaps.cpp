#include "runtime/state/overlaps.h"

#include <algorithm>
#include <cstring>

#include "runtime/state/ticking.h"

namespace mut::state {

OverlapStore::OverlapStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)), seed_(seed), budget_(budget), line_(line_of(desc_)) {}

bool OverlapStore::is_over(int64_t end) const {
  if (closed_ == std::numeric_limits<int64_t>::min()) return false;
  return end <= sealed_ || end + desc_.late_within <= closed_;
}

uint32_t OverlapStore::find(int64_t time) {
  found_.clear();
  found_starts_.clear();
  int64_t at = line_.at(time);
  int64_t every = line_.length(desc_.every);
  int64_t into = (at - offset_on_line(desc_)) % every;
  if (into < 0) into += every;
  bool missed = false;
  // From the last window that begins by then, backwards.
  for (int64_t start = at - into; start > at - line_.length(desc_.size); start -= every) {
    missed = missed || end_of(start) <= closed_;
    if (is_over(end_of(start))) break;
    auto& window = windows_[start];
    if (!window) window = std::make_unique<KeyedTable>(desc_, seed_, budget_);
    found_.push_back(window->view());
    found_starts_.push_back(start);
  }
  if (missed) ++late_;
  return static_cast<uint32_t>(found_.size());
}

// Windows that are kept for late events stand before those that are open.
int64_t OverlapStore::next_close() const {
  for (const auto& [start, window] : windows_) {
    if (end_of(start) > closed_) return end_of(start);
  }
  return never;
}

int64_t OverlapStore::due() const { return std::min(next_close(), tick_); }

void OverlapStore::fire(ResultRows& out) {
  int64_t end = next_close();
  if (tick_ < end) return fire_tick(out);
  auto first = windows_.begin();
  while (end_of(first->first) != end) ++first;
  if (desc_.gives == Gives::AtTicks) {
    add_changed(first->first, out);
  } else if (desc_.gives == Gives::AtClose) {
    out.add_table(*first->second, line_.time(first->first), end, [&](const char*) { return end - 1; });
  }
  closed_ = std::max(closed_, end);
  if (!is_over(end)) return;
  fired_.push_back(std::move(first->second));
  windows_.erase(first);
}

bool OverlapStore::changed(const char* row) const {
  uint64_t value;
  memcpy(&value, row + desc_.changed_offset, 8);
  return value != 0;
}

void OverlapStore::set_changed(char* row, uint64_t value) const {
  memcpy(row + desc_.changed_offset, &value, 8);
}

void OverlapStore::fire_tick(ResultRows& out) {
  for (const auto& [start, window] : windows_) {
    if (end_of(start) > closed_) add_changed(start, out);
    window->for_each([&](char* row) { set_changed(row, 0); });
  }
  tick_ = never;
}

void OverlapStore::add_changed(int64_t start, ResultRows& out) {
  const KeyedTable& window = *windows_.at(start);
  std::vector<const char*> rows;
  window.for_each([&](const char* row) {
    if (changed(row)) rows.push_back(row);
  });
  int64_t end = end_of(start);
  out.add_rows(window, sort_by_key(window, std::move(rows)), line_.time(start), end,
               [&](const char*) { return end - 1; });
}

void OverlapStore::mark_changed(char* row, int64_t time, int64_t now) {
  set_changed(row, 1);
  tick_ = next_tick(tick_, now, time, desc_.tick_every);
}

const ResultRows& OverlapStore::update(const uint64_t* key, batch::Arena& texts) {
  if (!updates_ || update_texts_ != &texts) updates_.emplace(desc_, texts);
  update_texts_ = &texts;
  updates_->clear();
  // In order of their ends.
  for (size_t i = found_starts_.size(); i-- > 0;) {
    int64_t start = found_starts_[i];
    int64_t end = end_of(start);
    if (end > closed_ && desc_.gives != Gives::AtUpdate) continue;
    KeyedTable& window = *windows_.at(start);
    if (const char* row = window.find(key); row != nullptr)
      updates_->add(window, row, key, line_.time(start), end, end - 1);
  }
  return *updates_;
}

void OverlapStore::forget_over() {
  while (!windows_.empty() && is_over(end_of(windows_.begin()->first))) windows_.erase(windows_.begin());
}

void OverlapStore::advance(int64_t watermark) {
  closed_ = std::max(closed_, watermark);
  forget_over();
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
  // What is over stays over, however long the next version keeps closed windows.
  sealed_ = std::max(sealed_, old.sealed_);
  if (closed_ != std::numeric_limits<int64_t>::min())
    sealed_ = std::max(sealed_, closed_ - old.desc_.late_within);
  if (desc_.gives == Gives::AtTicks) tick_ = std::min(tick_, old.tick_);
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
      // What gave its results when windows closed has given nothing of the open ones yet.
      bool given = old.desc_.gives == Gives::AtTicks && !old.changed(row);
      if (desc_.gives == Gives::AtTicks && !given) set_changed(made, 1);
    });
  }
}

}  // namespace mut::state
