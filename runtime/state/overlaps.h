// Sliding windows that keep rows of their own each: for aggregates whose states cannot be merged, so that
// panes are of no use. An event is added to every window that holds it.
#pragma once
#include <map>

#include "runtime/state/store.h"

namespace mut::state {

class OverlapStore final : public Store {
 public:
  OverlapStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return this; }
  int64_t due() const override;
  void fire(ResultRows& out) override;
  void release() override { fired_.clear(); }
  void advance(int64_t watermark) override;
  uint64_t entry_count() const override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

  // Finds the open windows of an event; how many. None: the event is late.
  uint32_t find(int64_t time);
  // One of those found last.
  MutTable* found(uint32_t index) { return found_[index]; }

 private:
  uint64_t seed_;
  Budget& budget_;
  int64_t end_of(int64_t start) const { return line_.time(start + line_.length(desc_.size)); }

  calendar::ZoneLine line_;
  std::map<int64_t, std::unique_ptr<KeyedTable>> windows_;  // by start on the line
  std::vector<std::unique_ptr<KeyedTable>> fired_;          // until release()
  std::vector<MutTable*> found_;
  int64_t closed_ = std::numeric_limits<int64_t>::min();  // windows that end by then are closed
};

}  // namespace mut::state
