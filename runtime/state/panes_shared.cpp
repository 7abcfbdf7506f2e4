// Windows whose rows several shards share: each has panes of its own until they come together in the first.
#include <cstring>
#include <utility>

#include "runtime/state/panes.h"

namespace mut::state {

void PaneStore::follow(const PaneStore& first) {
  if (!panes_.empty() || earlier_) return;
  rules_ = first.rules_;
  width_ = first.width_;
}

bool PaneStore::can_share(const PaneStore& first) const {
  if (earlier_ || first.earlier_ || rules_.size() != 1 || first.rules_.size() != 1) return false;
  return width_ == first.width_ && first.left_to_take() == 0 && left_to_take() == 0;
}

// Rows are copied: a table belongs to its store, whose budget it counts in.
void PaneStore::gather(PaneStore& other) {
  std::vector<uint64_t> key(desc_.key_words + 1);
  for (auto& [start, table] : other.panes_) {
    totals_.pane_changes(start);
    std::unique_ptr<KeyedTable>& pane = panes_[start];
    if (!pane) {
      pane = std::make_unique<KeyedTable>(desc_, seed_, budget_);
      pane->make_room(table->row_count());
    }
    table->for_each([&](char* row) {
      uint64_t hash;
      memcpy(&hash, row, sizeof(hash));
      table->load_key(row, key.data());
      char* target = pane->find(key.data(), hash);
      // It counts twice until the other one goes.
      if (target == nullptr) target = pane->make_row_regardless(key.data());
      merge_row(*table, row, *pane, target);
    });
  }
  other.panes_.clear();
  other.view_.pane_table = nullptr;
  late_ += std::exchange(other.late_, 0);
}

}  // namespace mut::state
