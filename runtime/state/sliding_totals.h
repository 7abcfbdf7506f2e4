// The groups of a sliding window, kept from one window to the next: panes that came are added and those that
// left are taken out again, so that a window costs what changed, however many panes it has. For cells that
// can be taken back exactly; slices as in Li et al., "No pane, no gain" (2005), subtracted as in
// Krishnamurthy et al., "On-the-fly sharing for streamed aggregation" (2006).
#pragma once
#include <map>
#include <memory>

#include "runtime/state/keyed_table.h"

namespace mut::state {

// One thread. Panes are those of one store, by their begin, and all of one seed.
class SlidingTotals {
 public:
  using Panes = std::map<int64_t, std::unique_ptr<KeyedTable>>;

  SlidingTotals(const StoreDesc& desc, uint64_t seed, Budget& budget)
      : desc_(desc), seed_(seed), budget_(budget), own_(&budget) {}
  ~SlidingTotals() { forget(); }
  // Whether all cells of rows can be taken out of a sum again.
  static bool can_take_out(const StoreDesc& desc);

  // The groups of the panes that begin in [start, end), which follow one another. Null, and nothing is kept,
  // when the budget is spent. Valid until the next call of any other.
  const KeyedTable* move_to(int64_t start, int64_t end, const Panes& panes);
  // Takes out the panes that begin before: they are about to go.
  void leave_before(int64_t start, const Panes& panes);
  // A pane changed, or goes without having been taken out.
  void pane_changes(int64_t start) {
    if (table_ && start >= from_ && start < to_) forget();
  }
  void forget();
  // Until the next window what is held is not counted as about to go.
  void count_in_full();

 private:
  // Counts what is held as about to go, so that no event is refused for it. Forgets it where that is more
  // than the budget has, and where it holds far more room than it needs.
  void settle();
  bool add(const KeyedTable& pane);
  void take_out(const KeyedTable& pane);
  uint64_t& panes_of(char* row) const { return *reinterpret_cast<uint64_t*>(row + desc_.row_size); }

  const StoreDesc& desc_;
  uint64_t seed_;
  Budget& budget_;
  Budget own_;
  size_t leaving_ = 0;  // of own_, counted so
  uint64_t most_rows_ = 0;
  // Rows as those of panes, and behind them in how many panes the group is.
  std::unique_ptr<KeyedTable> table_;
  int64_t from_ = 0;  // panes that begin in [from_, to_) are in it
  int64_t to_ = 0;
};

}  // namespace mut::state
