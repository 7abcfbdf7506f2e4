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
};

}  // namespace mut::state
