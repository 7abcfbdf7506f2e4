// What a join lets go of, and what it gives, when the watermark has passed.
#include <algorithm>

#include "runtime/inline/row_of_hash.h"
#include "runtime/state/joins.h"

namespace mut::state {
namespace {

// Rows freed by each arriving event of those that left: more than one, so that memory shrinks again.
constexpr uint32_t evicted_per_event = 4;
constexpr uint32_t evicted_per_batch = 4096;
// Rows ahead of the one that is freed: first what names it is asked for, then what that says.
constexpr size_t nodes_ahead = 16;
constexpr size_t rows_ahead = 8;

}  // namespace

void JoinStore::observe(int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  if (has_left(JoinSide::Left)) evict(JoinSide::Left, evicted_per_event);
  if (has_left(JoinSide::Right)) evict(JoinSide::Right, evicted_per_event);
}

void JoinStore::advance(int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  evict(JoinSide::Left, evicted_per_batch);
  evict(JoinSide::Right, evicted_per_batch);
}

// Rows were kept long ago, and what is kept of them is in no cache any more.
void JoinStore::fetch_ahead(const LeavingRows& leaving) const {
  if (const LeavingRows::Row* row = leaving.behind(nodes_ahead)) {
    __builtin_prefetch(&node_at(row->node), 1);
    inl::fetch_tags(table_view(), row->hash);
  }
  if (const LeavingRows::Row* row = leaving.behind(rows_ahead)) inl::fetch_rows(table_view(), row->hash);
}

void JoinStore::evict(JoinSide side, uint32_t most) {
  Side& rows = of(side);
  while (most-- > 0 && has_left(side)) {
    LeavingRows::Row first = rows.leaving.front();
    while (!rows.waiting.empty() && rows.waiting.front().time <= first.time) {
      if (may_be_given(side, node_at(rows.waiting.front().node))) return;  // is to be given first
      rows.waiting.pop();
    }
    rows.leaving.pop();
    fetch_ahead(rows.leaving);
    Node& node = node_at(first.node);
    if (node.gone == 0) remove_sample(row_of(side, first), side, first.node);
    table_heap().free(first.node, node.bytes);
  }
}

int64_t JoinStore::due() const {
  int64_t least = never;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    LeavingRows& waiting = of(side).waiting;
    while (!waiting.empty() && !may_be_given(side, node_at(waiting.front().node))) waiting.pop();
    if (!waiting.empty()) least = std::min(least, leaves(side, waiting.front().time));
  }
  return least;
}

void JoinStore::fire(ResultRows& rows) {
  struct Given {
    JoinSide side;
    LeavingRows::Row row;
    uint64_t arrival;
    size_t key;  // where it begins in `keys`
  };
  int64_t now = due();
  std::vector<Given> given;
  std::vector<uint64_t> keys;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    LeavingRows& waiting = of(side).waiting;
    while (!waiting.empty() && leaves(side, waiting.front().time) <= now) {
      LeavingRows::Row row = waiting.front();
      Node& node = node_at(row.node);
      if (may_be_given(side, node)) {
        node.silent = 1;
        given.push_back({side, row, node.arrival, keys.size()});
        keys.resize(keys.size() + desc_.key_words + 1);
        table_.load_key(row_of(side, row), keys.data() + given.back().key);
      }
      waiting.pop();
    }
  }
  std::sort(given.begin(), given.end(), [&](const Given& a, const Given& b) {
    int order = compare_keys(desc_, keys.data() + a.key, keys.data() + b.key);
    if (order != 0) return order < 0;
    if (a.side != b.side) return a.side == JoinSide::Left;
    return a.arrival < b.arrival;
  });
  fired_.clear();
  for (const Given& given_row : given) {
    fired_.push_back(given_row.row);
    const Node& node = node_at(given_row.row.node);
    rows.add_packed(given_row.side, record_of(given_row.side), node.record(), node.record_bytes(), node.time);
  }
}

}  // namespace mut::state
