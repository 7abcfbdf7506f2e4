// Count windows that overlap: `window count n every k`. A row of the table knows where its key stands; what
// its windows have seen lies in panes (PanedCountStore), or in a row for each window (ApartCountStore). Row:
// … · what the store adds · i64 events, ever · i64 least time of the pane · i64 newest time, ever.
#pragma once
#include "runtime/state/counts.h"

namespace mut::state {

class SlidingCountStore : public CountStore {
 public:
  using CountStore::CountStore;
  // Whether cells that keep values may take one of that much text each. Asked behind prepare().
  virtual bool has_room(const uint64_t* key, uint64_t text_bytes) = 0;

 protected:
  // After CountStore::convert_from(): each row of `old` and the one that it has become. `visit(from, to)`.
  template <typename Visit>
  void for_each_converted(const SlidingCountStore& old, Visit visit) {
    std::vector<uint64_t> key(key_room(old.desc_));
    old.table_.for_each([&](char* row) {
      old.table_.load_key(row, key.data());
      if (!place_key(old.desc_, key.data())) return;
      char* made = table_.find(key.data());
      if (made != nullptr) visit(row, made);  // else past its `ttl`
    });
  }
};

}  // namespace mut::state
