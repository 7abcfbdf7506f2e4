// One row of cells per key: running aggregates, history over all, `window all`.
#pragma once
#include "runtime/state/store.h"

namespace mut::state {

class GroupStore : public Store {
 public:
  GroupStore(StoreDesc desc, uint64_t seed, Budget& budget)
      : Store(std::move(desc)), table_(desc_, seed, budget) {}
  void* view() override { return table_.view(); }
  void advance(int64_t watermark) override;
  void finish(ResultRows& out) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return table_.row_count() + table_.left(); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  bool can_take_over(const Store& old, const std::vector<int>& cells) const override;
  void take_over(std::shared_ptr<Store> old, const std::vector<int>& cells, int64_t watermark,
                 std::shared_ptr<KeyChange> change) override;
  void take_piece(uint64_t entries) override { table_.take_piece(entries); }
  uint64_t left_to_take() const override { return table_.left(); }
  void join_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void return_from(const Store& parked, const std::vector<int>& cells) override;
  KeyedTable& table() { return table_; }
  // Whether `ttl` has passed since the newest event of a group. A row without events has none.
  virtual bool is_past(const char* row, int64_t watermark) const;
  // The group starts anew; its row stays.
  void forget(char* row);

 protected:
  virtual void free_values(char* row);
  // The row that `made` is converted from is `row` of `old`, and does not fit for the reason that is given.
  std::string convert_group(const GroupStore& old, const char* row, char* made, const std::vector<int>& cells,
                            int64_t watermark);
  // Without those of distinct values: they are found by group number, all at once.
  std::vector<int> plain_cells(const std::vector<int>& cells) const;
  // Distinct values of the groups of `old` that are not past, for groups that are here.
  void take_distinct(const GroupStore& old, const std::vector<int>& cells, int64_t watermark);
  KeyedTable table_;
  size_t sweep_ = 0;  // segment that expiry looks at next
};

}  // namespace mut::state
