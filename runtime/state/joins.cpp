#include "runtime/state/joins.h"

#include <algorithm>

#include "runtime/abi/deliberate.h"
#include "runtime/inline/hash.h"
#include "runtime/state/packed.h"

namespace mut::state {

JoinStore::JoinStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)),
      budget_(budget),
      table_(desc_, seed, budget),
      sides_{Side(budget), Side(budget)} {
  take_rules();
}

void JoinStore::take_rules() {
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    Side& rows = of(side);
    rows.wait_ns = side == JoinSide::Left ? desc_.join.high : -desc_.join.low;
    rows.waits = waits(desc_.join.kind, side);
    rows.gives_alone = gives_unmatched(desc_.join.kind, side);
    const abi::TypeDesc& record = record_of(side);
    rows.plain_bytes = abi::has_references(record) ? 0 : (record.size + uint64_t{7}) & ~uint64_t{7};
  }
}

uint64_t JoinStore::hash_of(const uint64_t* key) const {
  return inl::hash_key(key, desc_.key_words, desc_.text_mask, table_view().seed);
}

void JoinStore::find_partners(JoinSide side, const uint64_t* key, int64_t time, batch::Arena& arena,
                              MutPartners& out) {
  out = {};
  asked_ = {};
  if (key == nullptr) return;
  asked_.hash = hash_of(key);
  asked_.row = table_.find(key, asked_.hash);
  if (asked_.row == nullptr) return;
  if (is_asof(desc_.join.kind)) {
    // What comes in time waits for better partners.
    bool decides = side == JoinSide::Left && leaves(side, time) <= watermark_;
    if (decides) find_before(asked_.row, time, watermark_, arena, out);
    return;
  }
  JoinSide partner = other(side);
  Samples samples = load(asked_.row, partner);
  if (samples.count == 0) return;
  bool left = side == JoinSide::Left;
  int64_t from = left ? plus(time, desc_.join.low) : plus(time, -desc_.join.high);
  int64_t to = left ? plus(time, desc_.join.high) : plus(time, -desc_.join.low);
  uint32_t first = first_from(samples, from);
  while (first < samples.count && leaves(partner, at(samples, first).time) <= watermark_) ++first;
  if (MUT_DELIBERATE_FAULT(join_bound_exclusive)) --to;
  uint32_t end = to == never ? samples.count : first_from(samples, to + 1);
  if (first >= end) return;
  uint32_t count = end - first;
  // Whether there is one is all that is asked.
  bool one = left && (desc_.join.kind == JoinKind::Semi || desc_.join.kind == JoinKind::Anti) &&
             !desc_.join.conditional;
  if (one) count = 1;
  copy_partners(samples, first, count, partner, false, arena, out);
}

void JoinStore::copy_partners(const Samples& samples, uint32_t first, uint32_t count, JoinSide side,
                              bool backwards, batch::Arena& arena, MutPartners& out) const {
  constexpr size_t bytes_each = sizeof(char*) + sizeof(int64_t) + sizeof(uint64_t) + sizeof(uint8_t);
  auto** rows = static_cast<const char**>(arena.allocate(count * bytes_each));
  auto* times = reinterpret_cast<int64_t*>(rows + count);
  auto* nodes = reinterpret_cast<uint64_t*>(times + count);
  auto* chosen = reinterpret_cast<uint8_t*>(nodes + count);
  bool plain = of(side).plain_bytes != 0;
  for (uint32_t i = 0; i < count; ++i) {
    Sample sample = at(samples, backwards ? first + count - 1 - i : first + i);
    const Node& node = node_at(sample.node);
    rows[i] = node.record();
    if (!plain) {
      // Texts go on into what the event gives, which outlives the row.
      auto* copy = static_cast<char*>(arena.allocate(node.record_bytes()));
      memcpy(copy, node.record(), node.record_bytes());
      unpack(record_of(side), copy);
      rows[i] = copy;
    }
    times[i] = sample.time;
    nodes[i] = sample.node;
    chosen[i] = 1;
  }
  out = {rows, times, chosen, nodes, count, 0};
}

// Not later than `time`, newest first; one is enough where nothing else is asked.
void JoinStore::find_before(const char* row, int64_t time, int64_t now, batch::Arena& arena,
                            MutPartners& out) const {
  Samples samples = load(row, JoinSide::Right);
  uint32_t end = time == never ? samples.count : first_from(samples, time + 1);
  uint32_t first = first_from(samples, plus(time, desc_.join.low));
  if (first >= end) return;
  if (!desc_.join.conditional) {
    if (MUT_DELIBERATE_FAULT(asof_oldest)) end = first + 1;
    first = end - 1;
    // Replaced by one that the watermark has reached: it counts as let go.
    if (end < samples.count && at(samples, end).time <= now) return;
  }
  while (first < end && leaves(JoinSide::Right, at(samples, first).time) <= now) ++first;
  if (first < end) copy_partners(samples, first, end - first, JoinSide::Right, true, arena, out);
}

void JoinStore::find_candidates(size_t fired, batch::Arena& arena, MutPartners& out) const {
  out = {};
  const LeavingRows::Row& row = fired_[fired];
  find_before(row_of(JoinSide::Left, row), row.time, row.time, arena, out);
}

// Right rows of an asof join that no left row in time can want: a newer one is reached already.
void JoinStore::forget_replaced(char* row) {
  Samples samples = load(row, JoinSide::Right);
  while (samples.count > 1 && at(samples, 1).time <= watermark_) {
    uint64_t offset = at(samples, 0).node;
    Node& node = node_at(offset);
    if (node.leaving == 0) {
      table_heap().free(offset, node.bytes);
    } else {
      node.gone = 1;  // freed when its time comes
    }
    samples.head = (samples.head + 1) & static_cast<uint32_t>(samples.capacity - 1);
    --samples.count;
    --sample_count_;
  }
  save(row, JoinSide::Right, samples);
}

bool JoinStore::is_replaced(JoinSide side, const Samples& samples, uint32_t index, int64_t watermark) const {
  bool one_at_a_time = is_asof(desc_.join.kind) && !desc_.join.conditional && side == JoinSide::Right;
  return one_at_a_time && index + 1 < samples.count && at(samples, index + 1).time <= watermark;
}

bool JoinStore::keep(JoinSide side, const uint64_t* key, int64_t time, const char* record,
                     MutPartners& partners) {
  uint8_t* end = partners.chosen + partners.count;
  uint8_t* found = std::find(partners.chosen, end, uint8_t{1});
  bool any = found != end;
  bool late = time < watermark_;
  bool half = desc_.join.kind == JoinKind::Semi || desc_.join.kind == JoinKind::Anti;
  bool settled = half && side == JoinSide::Left && any;
  bool kept = key != nullptr && !settled && leaves(side, time) > watermark_;
  if (kept) {
    Node state{};
    state.matched = any ? 1 : 0;
    state.silent = late ? 1 : 0;
    asked_.row = insert(key, asked_, side, time, record, state);
    if (asked_.row == nullptr) return false;
  }
  if (late) ++late_;
  if (is_asof(desc_.join.kind)) {
    if (kept && side == JoinSide::Right && !desc_.join.conditional) forget_replaced(asked_.row);
    // In time it waits; without a key nothing can come; late it takes what is there, or nothing.
    bool alone = desc_.join.kind == JoinKind::LeftAsof && side == JoinSide::Left;
    partners.unmatched = alone && key == nullptr ? 1 : 0;
    return true;
  }
  // A late one gives no row, with a key or without: below, it would come behind the watermark.
  partners.unmatched = of(side).gives_alone && !any && !kept && !late ? 1 : 0;
  for (uint64_t i = 0; i < partners.count; ++i) {
    if (partners.chosen[i] == 0) continue;
    Node& partner = node_at(partners.nodes[i]);
    if (!MUT_DELIBERATE_FAULT(join_forgets_match)) partner.matched = 1;
    if (!half || side == JoinSide::Left) continue;
    partner.gone = 1;
    remove_sample(asked_.row, JoinSide::Left, partners.nodes[i]);
  }
  if (desc_.join.kind == JoinKind::Anti) {
    std::fill(partners.chosen, end, uint8_t{0});
  } else if (settled) {
    std::fill(found + 1, end, uint8_t{0});
  }
  return true;
}

char* JoinStore::insert(const uint64_t* key, const Asked& asked, JoinSide side, int64_t time,
                        const char* record, const Node& state) {
  Side& rows = of(side);
  // What may be allocated besides the row of the table and a longer ring.
  uint64_t record_bytes = rows.plain_bytes != 0 ? rows.plain_bytes : packed_bytes(record_of(side), record);
  uint64_t queue_bytes = rows.leaving.growth_bytes() + (rows.waits ? rows.waiting.growth_bytes() : 0);
  if (!budget_.fits(sizeof(Node) + record_bytes + queue_bytes)) return nullptr;
  char* row = asked.row != nullptr ? asked.row : table_.insert(key, asked.hash);
  if (row == nullptr) return nullptr;
  uint64_t offset = make_node(side, time, record);
  if (asked.row == nullptr) {
    name_in_place(row, side, {time, offset});
  } else if (!add_sample(row, side, {time, offset})) {
    table_heap().free(offset, node_at(offset).bytes);
    return nullptr;
  }
  Node& node = node_at(offset);
  node.matched = state.matched;
  node.silent = state.silent;
  node.arrival = ++arrivals_;
  if (leaves(side, time) != never) {
    node.leaving = 1;
    rows.leaving.push({time, offset, asked.hash});
  }
  if (rows.waits && may_be_given(side, node)) rows.waiting.push({time, offset, asked.hash});
  return row;
}

}  // namespace mut::state
