#include "runtime/state/ticking.h"

#include <cstring>

namespace mut::state {

bool TickingGroupStore::changed(const char* row) const {
  uint64_t value;
  memcpy(&value, row + desc_.changed_offset, 8);
  return value != 0;
}

void TickingGroupStore::set_changed(char* row, uint64_t value) const {
  memcpy(row + desc_.changed_offset, &value, 8);
}

bool TickingGroupStore::is_past(const char* row, int64_t watermark) const {
  bool to_tell = desc_.gives == Gives::AtTicks && changed(row);
  return !to_tell && GroupStore::is_past(row, watermark);
}

void TickingGroupStore::mark_changed(char* row, int64_t time, int64_t now) {
  set_changed(row, 1);
  tick_ = next_tick(tick_, now, time, desc_.tick_every);
}

std::vector<const char*> TickingGroupStore::take_changed() {
  std::vector<const char*> rows;
  table_.for_each([&](char* row) {
    if (!changed(row)) return;
    rows.push_back(row);
    set_changed(row, 0);
  });
  tick_ = never;
  return sort_by_key(table_, std::move(rows));
}

void TickingGroupStore::fire(ResultRows& out) {
  int64_t time = tick_ - 1;
  out.add_rows(table_, take_changed(), 0, 0, [&](const char*) { return time; });
}

// What gave a row for each event has given all.
void TickingGroupStore::convert_from(const Store& old_store, const std::vector<int>& cells,
                                     int64_t watermark) {
  GroupStore::convert_from(old_store, cells, watermark);
  const auto* old = dynamic_cast<const TickingGroupStore*>(&old_store);
  if (old == nullptr || desc_.gives != Gives::AtTicks || old->desc_.gives != Gives::AtTicks) return;
  tick_ = std::min(tick_, old->tick_);
  std::vector<uint64_t> key(key_room(old_store.desc()));
  old->table_.for_each([&](char* row) {
    if (!old->changed(row)) return;
    old->table_.load_key(row, key.data());
    if (!place_key(old->desc_, key.data())) return;
    if (char* made = table_.find(key.data()); made != nullptr) set_changed(made, 1);
  });
}

}  // namespace mut::state
