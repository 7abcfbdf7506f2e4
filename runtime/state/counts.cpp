#include "runtime/state/counts.h"

#include <algorithm>
#include <cstring>

namespace mut::state {
namespace {

struct Extent {
  int64_t events;
  int64_t least;
  int64_t newest;
};

}  // namespace

const ResultRows& CountStore::count(char* row, int64_t time, batch::Arena& texts) {
  if (!full_ || full_texts_ != &texts) full_.emplace(desc_, texts);
  full_texts_ = &texts;
  full_->clear();
  char* place = row + desc_.row_size - sizeof(Extent);
  Extent extent;
  memcpy(&extent, place, sizeof(extent));
  extent.least = extent.events == 0 ? time : std::min(extent.least, time);
  extent.newest = std::max(extent.newest, time);
  ++extent.events;
  memcpy(place, &extent, sizeof(extent));
  if (extent.events >= desc_.size) {
    add(row, *full_);
    forget(row);
  } else if (is_past(row, watermark_)) {
    forget(row);  // the event came so late that its group is over
  }
  return *full_;
}

void CountStore::add(const char* row, ResultRows& out) const {
  Extent extent;
  memcpy(&extent, row + desc_.row_size - sizeof(extent), sizeof(extent));
  std::vector<uint64_t> key(desc_.key_words + 1);
  table_.load_key(row, key.data());
  out.add(table_, row, key.data(), extent.least, extent.newest, extent.newest);
}

void CountStore::finish(ResultRows& out) {
  for (const char* row : rows_by_key(table_)) {
    Extent extent;
    memcpy(&extent, row + desc_.row_size - sizeof(extent), sizeof(extent));
    if (extent.events == 0 || is_past(row, watermark_)) continue;
    add(row, out);
    forget(const_cast<char*>(row));
  }
}

void CountStore::convert_from(const Store& old, const std::vector<int>& cells, int64_t) {
  watermark_ = static_cast<const CountStore&>(old).watermark_;
  GroupStore::convert_from(old, cells, watermark_);
}

}  // namespace mut::state
