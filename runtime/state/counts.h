// Count windows: one row of cells per key; at every n-th event of a key, in order of arrival, its results are
// given and the group begins anew. Row: … · i64 events · i64 least time · i64 newest time.
#pragma once
#include <algorithm>
#include <optional>

#include "runtime/inline/counts.h"
#include "runtime/state/ticking.h"

namespace mut::state {

class CountStore : public TickingGroupStore {
 public:
  using TickingGroupStore::TickingGroupStore;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  void fire(ResultRows& out) override;
  // The clock of the stage at an event: `ttl` is judged by it, also for what is left at the end.
  void observe(int64_t watermark) { watermark_ = std::max(watermark_, watermark); }
  int64_t observed() const { return watermark_; }
  // The cells of `row` hold an event more. Gives the results when the window is full: valid until the next
  // call.
  const ResultRows& count(char* row, int64_t time, batch::Arena& texts);
  // What is not full, in order of key. Nothing is left.
  void finish(ResultRows& out) override;
  void advance(int64_t) override { TickingGroupStore::advance(watermark_); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

 protected:
  using Extent = inl::CountExtent;  // behind the cells of a row
  static Extent extent_of(const StoreDesc& desc, const char* row);
  static void keep(const StoreDesc& desc, char* row, const Extent& extent);
  virtual void take(char* row, int64_t time, ResultRows& out);
  // Gives what a row holds that is not full; it is forgotten then.
  virtual void give_rest(const char* row, ResultRows& out);

 private:
  void add(const char* row, ResultRows& out) const;

  int64_t watermark_ = std::numeric_limits<int64_t>::min();
  std::optional<ResultRows> full_;
  batch::Arena* full_texts_ = nullptr;
};

}  // namespace mut::state
