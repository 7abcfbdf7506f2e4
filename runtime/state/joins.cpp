#include "runtime/state/joins.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/abi/deliberate.h"
#include "runtime/state/packed.h"
#include "runtime/state/row_change.h"

namespace mut::state {
namespace {

// Rows freed by each arriving event of those that left: more than one, so that memory shrinks again.
constexpr uint32_t evicted_per_event = 4;
constexpr uint32_t evicted_per_batch = 4096;

int64_t plus(int64_t time, int64_t duration) {
  int64_t out = 0;
  if (!__builtin_add_overflow(time, duration, &out)) return out;
  return duration < 0 ? std::numeric_limits<int64_t>::min() : never;
}

// Of a binary heap: the earliest on top.
struct Later {
  template <typename Entry>
  bool operator()(const Entry& a, const Entry& b) const {
    return a.time != b.time ? a.time > b.time : a.arrival > b.arrival;
  }
};

}  // namespace

JoinStore::JoinStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)), budget_(budget), table_(desc_, seed, budget) {}

JoinStore::~JoinStore() {
  for (const Queue& queue : leaving_) budget_.remove(queue.size() * sizeof(Queued));
  for (const Queue& queue : waiting_) budget_.remove(queue.size() * sizeof(Queued));
}

JoinStore::Samples JoinStore::load(const char* row, JoinSide side) const {
  Samples out;
  memcpy(&out, row + samples_offset(side), sizeof(out));
  return out;
}
void JoinStore::save(char* row, JoinSide side, const Samples& samples) const {
  memcpy(row + samples_offset(side), &samples, sizeof(samples));
}
JoinStore::Sample* JoinStore::at(const Samples& samples, uint32_t index) const {
  uint32_t slot = (samples.head + index) & (samples.capacity - 1);
  return reinterpret_cast<Sample*>(table_heap().at(samples.offset)) + slot;
}

void JoinStore::load_key(uint64_t node, uint64_t* key) const {
  const char* memory = table_heap().at(node);
  memcpy(key, memory + sizeof(Node), desc_.key_words * size_t{8});
  for (uint32_t i = 0; i < desc_.key_words; ++i) {
    if ((desc_.text_mask >> i & 1U) == 0) continue;
    key[i + 1] = reinterpret_cast<uint64_t>(memory + key[i + 1]);
    ++i;
  }
}

int64_t JoinStore::leaves(JoinSide side, int64_t time) const {
  int64_t last = side == JoinSide::Left ? plus(time, desc_.join.high) : plus(time, -desc_.join.low);
  return plus(last, 1);
}

uint32_t JoinStore::first_from(const Samples& samples, int64_t time) const {
  uint32_t low = 0;
  uint32_t high = samples.count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (at(samples, middle)->time < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void JoinStore::push(Queue& queue, const Queued& entry) {
  queue.push_back(entry);
  std::push_heap(queue.begin(), queue.end(), Later{});
  budget_.add(sizeof(Queued));
}
void JoinStore::pop(Queue& queue) const {
  std::pop_heap(queue.begin(), queue.end(), Later{});
  queue.pop_back();
  budget_.remove(sizeof(Queued));
}

// ---- pairs

void JoinStore::find_partners(JoinSide side, const uint64_t* key, int64_t time, batch::Arena& arena,
                              MutPartners& out) const {
  out = {};
  if (is_asof(desc_.join.kind)) {
    // What comes in time waits for better partners.
    bool decides = side == JoinSide::Left && key != nullptr && leaves(side, time) <= watermark_;
    if (decides) find_before(key, time, watermark_, arena, out);
    return;
  }
  const char* row = key == nullptr ? nullptr : table_.find(key);
  if (row == nullptr) return;
  JoinSide partner = other(side);
  Samples samples = load(row, partner);
  bool left = side == JoinSide::Left;
  int64_t from = left ? plus(time, desc_.join.low) : plus(time, -desc_.join.high);
  int64_t to = left ? plus(time, desc_.join.high) : plus(time, -desc_.join.low);
  uint32_t first = first_from(samples, from);
  while (first < samples.count && leaves(partner, at(samples, first)->time) <= watermark_) ++first;
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
  auto** rows = static_cast<const char**>(arena.allocate(count * sizeof(char*)));
  auto* times = static_cast<int64_t*>(arena.allocate(count * sizeof(int64_t)));
  auto* nodes = static_cast<uint64_t*>(arena.allocate(count * sizeof(uint64_t)));
  auto* chosen = static_cast<uint8_t*>(arena.allocate(count));
  const abi::TypeDesc& record = record_of(side);
  for (uint32_t i = 0; i < count; ++i) {
    const Sample& sample = *at(samples, backwards ? first + count - 1 - i : first + i);
    const Node& node = *node_at(sample.node);
    uint64_t bytes = node.bytes - node.record;
    auto* copy = static_cast<char*>(arena.allocate(bytes));
    memcpy(copy, reinterpret_cast<const char*>(&node) + node.record, bytes);
    unpack(record, copy);
    rows[i] = copy;
    times[i] = sample.time;
    nodes[i] = sample.node;
    chosen[i] = 1;
  }
  out = {rows, times, chosen, nodes, count, 0};
}

// Not later than `time`, newest first; one is enough where nothing else is asked.
void JoinStore::find_before(const uint64_t* key, int64_t time, int64_t now, batch::Arena& arena,
                            MutPartners& out) const {
  out = {};
  const char* row = table_.find(key);
  if (row == nullptr) return;
  Samples samples = load(row, JoinSide::Right);
  uint32_t end = time == never ? samples.count : first_from(samples, time + 1);
  uint32_t first = first_from(samples, plus(time, desc_.join.low));
  if (first >= end) return;
  if (!desc_.join.conditional) {
    if (MUT_DELIBERATE_FAULT(asof_oldest)) end = first + 1;
    first = end - 1;
    // Replaced by one that the watermark has reached: it counts as let go.
    if (end < samples.count && at(samples, end)->time <= now) return;
  }
  while (first < end && leaves(JoinSide::Right, at(samples, first)->time) <= now) ++first;
  if (first < end) copy_partners(samples, first, end - first, JoinSide::Right, true, arena, out);
}

void JoinStore::find_candidates(size_t fired, batch::Arena& arena, MutPartners& out) const {
  std::vector<uint64_t> key(desc_.key_words + 1);
  load_key(fired_[fired], key.data());
  int64_t time = node_at(fired_[fired])->time;
  find_before(key.data(), time, time, arena, out);
}

// Right rows of an asof join that no left row in time can want: a newer one is reached already.
void JoinStore::forget_replaced(char* row) {
  Samples samples = load(row, JoinSide::Right);
  while (samples.count > 1 && at(samples, 1)->time <= watermark_) {
    Node& node = *node_at(at(samples, 0)->node);
    if (leaves(JoinSide::Right, node.time) == never) {
      table_heap().free(at(samples, 0)->node, node.bytes);
    } else {
      node.gone = 1;  // freed when its time comes
    }
    samples.head = (samples.head + 1) & (samples.capacity - 1);
    --samples.count;
    --sample_count_;
  }
  save(row, JoinSide::Right, samples);
}

bool JoinStore::is_replaced(JoinSide side, const Samples& samples, uint32_t index, int64_t watermark) const {
  bool one_at_a_time = is_asof(desc_.join.kind) && !desc_.join.conditional && side == JoinSide::Right;
  return one_at_a_time && index + 1 < samples.count && at(samples, index + 1)->time <= watermark;
}

bool JoinStore::keep(JoinSide side, const uint64_t* key, int64_t time, const char* record,
                     MutPartners& partners) {
  uint8_t* end = partners.chosen + partners.count;
  uint8_t* found = std::find(partners.chosen, end, uint8_t{1});
  bool any = partners.count > 0 && found != end;
  bool late = time < watermark_;
  bool half = desc_.join.kind == JoinKind::Semi || desc_.join.kind == JoinKind::Anti;
  bool settled = half && side == JoinSide::Left && any;
  bool kept = key != nullptr && !settled && leaves(side, time) > watermark_;
  if (kept) {
    Node state{};
    state.matched = any ? 1 : 0;
    state.silent = late ? 1 : 0;
    if (!insert(key, side, time, record, state)) return false;
  }
  if (late) ++late_;
  if (is_asof(desc_.join.kind)) {
    if (kept && side == JoinSide::Right && !desc_.join.conditional) forget_replaced(table_.find(key));
    // In time it waits; without a key nothing can come; late it takes what is there, or nothing.
    bool alone = desc_.join.kind == JoinKind::LeftAsof && side == JoinSide::Left;
    partners.unmatched = alone && key == nullptr ? 1 : 0;
    return true;
  }
  // A late one gives no row, with a key or without: below, it would come behind the watermark.
  partners.unmatched = gives_unmatched(desc_.join.kind, side) && !any && !kept && !late ? 1 : 0;
  for (uint64_t i = 0; i < partners.count; ++i) {
    if (partners.chosen[i] == 0) continue;
    Node& partner = *node_at(partners.nodes[i]);
    partner.matched = MUT_DELIBERATE_FAULT(join_forgets_match) ? partner.matched : 1;
    if (!half || side == JoinSide::Left) continue;
    partner.gone = 1;
    remove_sample(table_.find(key), JoinSide::Left, partners.nodes[i]);
  }
  if (desc_.join.kind == JoinKind::Anti) {
    std::fill(partners.chosen, end, uint8_t{0});
  } else if (settled) {
    std::fill(found + 1, end, uint8_t{0});
  }
  return true;
}

bool JoinStore::insert(const uint64_t* key, JoinSide side, int64_t time, const char* record,
                       const Node& state) {
  // What may be allocated besides the node: a longer array, two entries of queues.
  uint64_t bytes = sizeof(Node) + (desc_.key_words + 4) * size_t{8} + packed_bytes(record_of(side), record);
  if (!budget_.fits(bytes + 2 * sizeof(Queued))) return false;
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return false;
  uint64_t offset = make_node(key, side, time, record);
  Node& node = *node_at(offset);
  node.matched = state.matched;
  node.silent = state.silent;
  node.arrival = ++arrivals_;
  if (!add_sample(row, side, {time, offset})) {
    --arrivals_;
    table_heap().free(offset, node.bytes);
    if (load(row, JoinSide::Left).count + load(row, JoinSide::Right).count == 0) table_.erase(row);
    return false;
  }
  if (leaves(side, time) != never) push(leaving_[place(side)], {time, node.arrival, offset});
  if (waits(desc_.join.kind, side) && may_be_given(side, node))
    push(waiting_[place(side)], {time, node.arrival, offset});
  return true;
}

uint64_t JoinStore::make_node(const uint64_t* key, JoinSide side, int64_t time, const char* record) {
  const abi::TypeDesc& type = record_of(side);
  uint64_t key_bytes = desc_.key_words * uint64_t{8};
  uint64_t text_bytes = 0;
  for (uint32_t i = 0; i < desc_.key_words; ++i) {
    if ((desc_.text_mask >> i & 1U) == 0) continue;
    text_bytes += (static_cast<uint32_t>(key[i]) + uint64_t{7}) & ~uint64_t{7};
    ++i;
  }
  uint64_t record_at = sizeof(Node) + key_bytes + text_bytes;
  uint64_t bytes = record_at + packed_bytes(type, record);
  uint64_t offset = table_heap().allocate(bytes);
  char* memory = table_heap().at(offset);
  Node node{time, 0, bytes, static_cast<uint32_t>(record_at), 0, 0, 0, 0};
  memcpy(memory, &node, sizeof(node));
  memcpy(memory + sizeof(Node), key, key_bytes);
  uint64_t next = sizeof(Node) + key_bytes;
  for (uint32_t i = 0; i < desc_.key_words; ++i) {
    if ((desc_.text_mask >> i & 1U) == 0) continue;
    auto size = static_cast<uint32_t>(key[i]);
    if (size > 0) memcpy(memory + next, reinterpret_cast<const char*>(key[i + 1]), size);
    memcpy(memory + sizeof(Node) + (i + 1) * size_t{8}, &next, 8);
    next += (size + uint64_t{7}) & ~uint64_t{7};
    ++i;
  }
  pack(type, record, memory + record_at);
  return offset;
}

bool JoinStore::add_sample(char* row, JoinSide side, const Sample& sample) {
  Samples samples = load(row, side);
  if (samples.count == samples.capacity) {
    uint32_t capacity = samples.capacity == 0 ? 2 : samples.capacity * 2;
    uint64_t bytes = capacity * sizeof(Sample);
    if (!budget_.fits(bytes)) return false;
    Samples bigger{table_heap().allocate(bytes), capacity, 0, samples.count, 0};
    for (uint32_t i = 0; i < samples.count; ++i) *at(bigger, i) = *at(samples, i);
    if (samples.capacity != 0) table_heap().free(samples.offset, samples.capacity * sizeof(Sample));
    samples = bigger;
  }
  uint32_t index = samples.count;
  ++samples.count;
  while (index > 0 && at(samples, index - 1)->time > sample.time) {
    *at(samples, index) = *at(samples, index - 1);
    --index;
  }
  *at(samples, index) = sample;
  ++sample_count_;
  save(row, side, samples);
  return true;
}

// Takes a row out of its key; the key goes with its last row.
void JoinStore::remove_sample(char* row, JoinSide side, uint64_t node) {
  Samples samples = load(row, side);
  uint32_t index = first_from(samples, node_at(node)->time);
  while (at(samples, index)->node != node) ++index;
  if (index < samples.count / 2) {
    for (uint32_t i = index; i > 0; --i) *at(samples, i) = *at(samples, i - 1);
    samples.head = (samples.head + 1) & (samples.capacity - 1);
  } else {
    for (uint32_t i = index; i + 1 < samples.count; ++i) *at(samples, i) = *at(samples, i + 1);
  }
  --samples.count;
  --sample_count_;
  save(row, side, samples);
  Samples rest = load(row, other(side));
  if (samples.count > 0 || rest.count > 0) return;
  table_heap().free(samples.offset, samples.capacity * sizeof(Sample));
  if (rest.capacity > 0) table_heap().free(rest.offset, rest.capacity * sizeof(Sample));
  table_.erase(row);
}

// ---- time

void JoinStore::observe(int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  evict(JoinSide::Left, evicted_per_event);
  evict(JoinSide::Right, evicted_per_event);
}

void JoinStore::advance(int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  evict(JoinSide::Left, evicted_per_batch);
  evict(JoinSide::Right, evicted_per_batch);
}

void JoinStore::evict(JoinSide side, uint32_t most) {
  Queue& queue = leaving_[place(side)];
  Queue& waiting = waiting_[place(side)];
  std::vector<uint64_t> key(desc_.key_words + 1);
  while (most-- > 0 && !queue.empty() && leaves(side, queue.front().time) <= watermark_) {
    uint64_t offset = queue.front().node;
    while (!waiting.empty() && !Later{}(waiting.front(), queue.front())) {
      if (may_be_given(side, *node_at(waiting.front().node))) return;  // is to be given first
      pop(waiting);
    }
    pop(queue);
    Node& node = *node_at(offset);
    if (node.gone == 0) {
      load_key(offset, key.data());
      remove_sample(table_.find(key.data()), side, offset);
    }
    table_heap().free(offset, node.bytes);
  }
}

int64_t JoinStore::due() const {
  int64_t least = never;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    Queue& waiting = waiting_[place(side)];
    while (!waiting.empty() && !may_be_given(side, *node_at(waiting.front().node))) pop(waiting);
    if (!waiting.empty()) least = std::min(least, leaves(side, waiting.front().time));
  }
  return least;
}

void JoinStore::fire(ResultRows& rows) {
  struct Given {
    JoinSide side;
    uint64_t node;
    std::vector<uint64_t> key;
  };
  int64_t now = due();
  std::vector<Given> given;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    Queue& waiting = waiting_[place(side)];
    while (!waiting.empty() && leaves(side, waiting.front().time) <= now) {
      Node& node = *node_at(waiting.front().node);
      if (may_be_given(side, node)) {
        node.silent = 1;
        given.push_back({side, waiting.front().node, std::vector<uint64_t>(desc_.key_words + 1)});
        load_key(given.back().node, given.back().key.data());
      }
      pop(waiting);
    }
  }
  std::sort(given.begin(), given.end(), [&](const Given& a, const Given& b) {
    int order = compare_keys(desc_, a.key.data(), b.key.data());
    if (order != 0) return order < 0;
    if (a.side != b.side) return a.side == JoinSide::Left;
    return node_at(a.node)->arrival < node_at(b.node)->arrival;
  });
  fired_.clear();
  for (const Given& row : given) {
    fired_.push_back(row.node);
    const Node& node = *node_at(row.node);
    rows.add_packed(row.side, record_of(row.side), reinterpret_cast<const char*>(&node) + node.record,
                    node.bytes - node.record, node.time);
  }
}

// ---- edits

void JoinStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  bool same_bounds = desc_.join.low == next.join.low && desc_.join.high == next.join.high;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    // What has left by the bounds so far does not come back, freed or not.
    if (!same_bounds) evict(side, std::numeric_limits<uint32_t>::max());
    bool gave = waits(desc_.join.kind, side);
    bool gives = waits(next.join.kind, side);
    // What was kept by a kind that gave no such rows gives none.
    if (gives && !gave) exempt_[place(side)] = arrivals_;
    while (gave && !gives && !waiting_[place(side)].empty()) pop(waiting_[place(side)]);
  }
  desc_ = next;
}

void JoinStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const JoinStore&>(old_store);
  watermark_ = std::max(old.watermark_, watermark);
  struct Kept {
    JoinSide side;
    uint64_t node;
  };
  std::vector<Kept> kept;
  for (JoinSide side : {JoinSide::Left, JoinSide::Right}) {
    if (cells[place(side)] < 0) continue;
    old.for_each_node(side, [&](const Samples& samples, uint32_t index) {
      uint64_t offset = old.at(samples, index)->node;
      const Node& node = *old.node_at(offset);
      // Under another key it would stand alone again.
      if (row_keys_ != nullptr && old.is_replaced(side, samples, index, watermark_)) return;
      if (MUT_DELIBERATE_FAULT(rekey_loses_right) && row_keys_ != nullptr && side == JoinSide::Right) return;
      bool over = std::min(leaves(side, node.time), old.leaves(side, node.time)) <= watermark_;
      bool given =
          waits(desc_.join.kind, side) && old.may_be_given(side, node) && waits(old.desc_.join.kind, side);
      if (!over || given) kept.push_back({side, offset});
    });
  }
  std::sort(kept.begin(), kept.end(), [&](const Kept& a, const Kept& b) {
    return old.node_at(a.node)->arrival < old.node_at(b.node)->arrival;
  });
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<char> record;
  // By JoinSide. A side whose rows do not convert keeps none.
  std::array changes{RowChange::between(old.desc_.join.left, desc_.join.left),
                     RowChange::between(old.desc_.join.right, desc_.join.right)};
  for (const Kept& row : kept) {
    const Node& node = *old.node_at(row.node);
    old.load_key(row.node, key.data());
    record.assign(reinterpret_cast<const char*>(&node) + node.record,
                  reinterpret_cast<const char*>(&node) + node.bytes);
    unpack(old.record_of(row.side), record.data());
    Node state = node;
    bool may_come = waits(old.desc_.join.kind, row.side) && old.may_be_given(row.side, node);
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
      if (made == RowKeys::Made::Nothing && !(may_come && waits(desc_.join.kind, row.side))) continue;
    }
    if (!insert(key.data(), row.side, node.time, taken.data(), state)) return note(key.data(), no_memory);
  }
  late_ = old.late_;
}

}  // namespace mut::state
