#include "runtime/state/counts.h"

#include <algorithm>
#include <cstring>

namespace mut::state {

CountStore::Extent CountStore::extent_of(const StoreDesc& desc, const char* row) {
  Extent out;
  memcpy(&out, row + desc.row_size - sizeof(out), sizeof(out));
  return out;
}

void CountStore::keep(const StoreDesc& desc, char* row, const Extent& extent) {
  memcpy(row + desc.row_size - sizeof(extent), &extent, sizeof(extent));
}

const ResultRows& CountStore::count(char* row, int64_t time, batch::Arena& texts) {
  if (!full_ || full_texts_ != &texts) full_.emplace(desc_, texts);
  full_texts_ = &texts;
  full_->clear();
  take(row, time, *full_);
  bool is_full = full_->count() > 0;
  if (is_full && desc_.gives == Gives::AtTicks) set_changed(row, 0);
  if (!is_full && desc_.gives == Gives::AtUpdate) give_rest(row, *full_);
  // Full, or the event came so late that its group is over.
  if (desc_.ttl != 0 && extent_of(desc_, row).events > 0 && is_past(row, watermark_)) forget(row);
  return *full_;
}

void CountStore::take(char* row, int64_t time, ResultRows& out) {
  Extent extent = extent_of(desc_, row);
  extent.add({1, time, time});
  keep(desc_, row, extent);
  if (extent.events < desc_.size) return;
  add(row, out);
  forget(row);
}

void CountStore::add(const char* row, ResultRows& out) const {
  Extent extent = extent_of(desc_, row);
  std::vector<uint64_t> key(desc_.key_words + 1);
  table_.load_key(row, key.data());
  out.add(table_, row, key.data(), extent.least, extent.newest, extent.newest);
}

void CountStore::give_rest(const char* row, ResultRows& out) { add(row, out); }

void CountStore::finish(ResultRows& out) {
  for (const char* row : rows_by_key(table_)) {
    if (extent_of(desc_, row).events == 0 || is_past(row, watermark_)) continue;
    // All was given at each update, or at the last tick when nothing has come since.
    bool told = desc_.gives == Gives::AtUpdate || (desc_.gives == Gives::AtTicks && !changed(row));
    if (!told) give_rest(row, out);
    forget(const_cast<char*>(row));
  }
}

void CountStore::fire(ResultRows& out) {
  for (const char* row : take_changed()) give_rest(row, out);
}

void CountStore::convert_from(const Store& old, const std::vector<int>& cells, int64_t) {
  watermark_ = std::max(watermark_, static_cast<const CountStore&>(old).watermark_);
  TickingGroupStore::convert_from(old, cells, watermark_);
  if (desc_.gives != Gives::AtTicks || old.desc().gives != Gives::AtClose) return;
  table_.for_each([&](char* row) {
    int64_t events = extent_of(desc_, row).events;
    set_changed(row, (slides(desc_) ? events % desc_.every : events) != 0 ? 1 : 0);
  });
}

}  // namespace mut::state
