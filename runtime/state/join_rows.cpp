// The rows of a key: nodes in the heap, and what names them in order of (time, arrival).
#include "runtime/inline/row_of_hash.h"
#include "runtime/state/joins.h"
#include "runtime/state/packed.h"

namespace mut::state {

uint32_t JoinStore::first_from(const Samples& samples, int64_t time) const {
  uint32_t low = 0;
  uint32_t high = samples.count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (at(samples, middle).time < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint32_t JoinStore::index_of(const Samples& samples, int64_t time, uint64_t node) const {
  // Rows leave in order of time, so it is the first.
  if (samples.count > 0 && at(samples, 0).node == node) return 0;
  uint32_t index = first_from(samples, time);
  while (index < samples.count && at(samples, index).node != node) {
    if (at(samples, index).time != time) return samples.count;
    ++index;
  }
  return index;
}

char* JoinStore::row_of(JoinSide side, const LeavingRows::Row& row) const {
  return inl::row_of_hash(table_view(), row.hash, [&](const char* of) {
    Samples samples = load(of, side);
    return index_of(samples, row.time, row.node) < samples.count;
  });
}

uint64_t JoinStore::make_node(JoinSide side, int64_t time, const char* record) {
  const abi::TypeDesc& type = record_of(side);
  uint64_t plain = of(side).plain_bytes;
  uint64_t bytes = sizeof(Node) + (plain != 0 ? plain : packed_bytes(type, record));
  uint64_t offset = table_heap().allocate(bytes);
  Node& node = node_at(offset);
  node = {};
  node.time = time;
  node.bytes = bytes;
  if (plain != 0) {
    memcpy(node.record(), record, type.size);
  } else {
    pack(type, record, node.record());
  }
  return offset;
}

void JoinStore::name_in_place(char* row, JoinSide side, const Sample& sample) {
  Samples samples{sample.node, {}, 1, Samples::in_place};
  samples.time = sample.time;
  save(row, side, samples);
  ++sample_count_;
}

bool JoinStore::add_sample(char* row, JoinSide side, const Sample& sample) {
  Samples samples = load(row, side);
  if (samples.count == 0 && samples.capacity == 0) {
    name_in_place(row, side, sample);
    return true;
  }
  bool in_place = samples.head == Samples::in_place;
  if (in_place || samples.count == samples.capacity) {
    constexpr uint64_t first_capacity = 4;
    uint64_t capacity = in_place ? first_capacity : samples.capacity * 2;
    uint64_t bytes = capacity * sizeof(Sample);
    if (!budget_.fits(bytes)) return false;
    Samples bigger{table_heap().allocate(bytes), {capacity}, samples.count, 0};
    for (uint32_t i = 0; i < samples.count; ++i) in_ring(bigger, i) = at(samples, i);
    if (!in_place) table_heap().free(samples.memory, samples.capacity * sizeof(Sample));
    samples = bigger;
  }
  uint32_t index = samples.count;
  ++samples.count;
  while (index > 0 && in_ring(samples, index - 1).time > sample.time) {
    in_ring(samples, index) = in_ring(samples, index - 1);
    --index;
  }
  in_ring(samples, index) = sample;
  ++sample_count_;
  save(row, side, samples);
  return true;
}

// Takes a row out of its key; the key goes with its last row.
void JoinStore::remove_sample(char* row, JoinSide side, uint64_t node) {
  Samples samples = load(row, side);
  if (samples.head == Samples::in_place) {
    samples = {};
  } else {
    uint32_t index = index_of(samples, node_at(node).time, node);
    if (index < samples.count / 2 || index == 0) {
      for (uint32_t i = index; i > 0; --i) in_ring(samples, i) = in_ring(samples, i - 1);
      samples.head = (samples.head + 1) & static_cast<uint32_t>(samples.capacity - 1);
    } else {
      for (uint32_t i = index; i + 1 < samples.count; ++i) in_ring(samples, i) = in_ring(samples, i + 1);
    }
    --samples.count;
  }
  --sample_count_;
  Samples rest = load(row, other(side));
  if (samples.count > 0 || rest.count > 0) return save(row, side, samples);
  for (const Samples& of : {samples, rest}) {
    if (of.capacity != 0) table_heap().free(of.memory, of.capacity * sizeof(Sample));
  }
  table_.erase(row);
}

}  // namespace mut::state
