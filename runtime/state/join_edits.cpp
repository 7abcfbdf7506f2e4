// What becomes of the rows of a join when an edit changes it.
#include <algorithm>
#include <array>

#include "runtime/abi/deliberate.h"
#include "runtime/state/joins.h"
#include "runtime/state/packed.h"
#include "runtime/state/row_change.h"

namespace mut::state {

void JoinStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  bool same_bounds = desc_.join.low == next.join.low && desc_.join.high == next.join.high;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    // What has left by the bounds so far does not come back, freed or not.
    if (!same_bounds) evict(side, std::numeric_limits<uint32_t>::max());
    Side& rows = of(side);
    bool gives = waits(next.join.kind, side);
    // What was kept by a kind that gave no such rows gives none.
    if (gives && !rows.waits) rows.exempt = arrivals_;
    while (!gives && !rows.waiting.empty()) rows.waiting.pop();
  }
  desc_ = next;
  take_rules();
  if (same_bounds) return;
  // Those that would have stayed for ever.
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    for_each_node(side, [&](const char* row, const Samples& samples, uint32_t index) {
      Sample sample = at(samples, index);
      Node& node = node_at(sample.node);
      if (node.leaving != 0 || leaves(side, sample.time) == never) return;
      node.leaving = 1;
      of(side).leaving.push({sample.time, sample.node, hash_in(row)});
    });
  }
}

void JoinStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const JoinStore&>(old_store);
  watermark_ = std::max(old.watermark_, watermark);
  struct Kept {
    JoinSide side;
    uint64_t node;
    char* row;
  };
  std::vector<Kept> kept;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    if (cells[place(side)] < 0) continue;
    old.for_each_node(side, [&](char* row, const Samples& samples, uint32_t index) {
      uint64_t offset = old.at(samples, index).node;
      const Node& node = old.node_at(offset);
      // Under another key it would stand alone again.
      if (row_keys_ != nullptr && old.is_replaced(side, samples, index, watermark_)) return;
      if (MUT_DELIBERATE_FAULT(rekey_loses_right) && row_keys_ != nullptr && side == JoinSide::Right) return;
      bool over = std::min(leaves(side, node.time), old.leaves(side, node.time)) <= watermark_;
      bool given = of(side).waits && old.may_be_given(side, node) && old.of(side).waits;
      if (!over || given) kept.push_back({side, offset, row});
    });
  }
  std::sort(kept.begin(), kept.end(), [&](const Kept& a, const Kept& b) {
    return old.node_at(a.node).arrival < old.node_at(b.node).arrival;
  });
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<char> record;
  // By JoinSide. A side whose rows do not convert keeps none.
  std::array changes{RowChange::between(old.desc_.join.left, desc_.join.left),
                     RowChange::between(old.desc_.join.right, desc_.join.right)};
  for (const Kept& row : kept) {
    const Node& node = old.node_at(row.node);
    old.table_.load_key(row.row, key.data());
    record.assign(node.record(), node.record() + node.record_bytes());
    unpack(old.record_of(row.side), record.data());
    Node state = node;
    bool may_come = old.of(row.side).waits && old.may_be_given(row.side, node);
    bool forgets = MUT_DELIBERATE_FAULT(swap_loses_match) && node.matched != 0;
    if (forgets) state.matched = 0;
    if (!may_come && !forgets) state.silent = 1;
    const RowChange& change = *changes[place(row.side)];
    std::string misfit = change.misfit(record.data());
    std::vector<char> taken = change.apply(record.data());
    if (row_keys_ == nullptr) {
      (void)place_key(old.desc_, key.data());
      note(key.data(), misfit);
    } else if (!misfit.empty()) {
      row_keys_->refuse(old.record_of(row.side), record.data(), misfit);
      return;
    } else {
      RowKeys::Made made = row_keys_->apply(old.desc_, desc_, place(row.side), taken.data(), key.data());
      if (made == RowKeys::Made::Failed) return;
      // It waits for its time alone, if at all.
      if (made == RowKeys::Made::Nothing && !(may_come && of(row.side).waits)) continue;
    }
    uint64_t hash = hash_of(key.data());
    Asked asked{hash, table_.find(key.data(), hash)};
    if (insert(key.data(), asked, row.side, node.time, taken.data(), state) == nullptr)
      return note(key.data(), no_memory);
  }
  late_ = old.late_;
}

}  // namespace mut::state
