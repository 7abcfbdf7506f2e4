// Rows of the two sides of a join, per key, in order of (time, arrival), until no row in time can be their
// partner any more. See docs/design/0006-second-inputs.md.
#pragma once
#include <deque>

#include "runtime/state/store.h"

namespace mut::state {

class JoinStore final : public Store {
 public:
  JoinStore(StoreDesc desc, uint64_t seed, Budget& budget);
  ~JoinStore() override;
  void* view() override { return table_.view(); }
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  void advance(int64_t watermark) override;
  uint64_t entry_count() const override { return sample_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // The watermark at the event to come. Frees a few rows that it has passed.
  void observe(int64_t watermark);
  // Rows of the other side within the bounds of an event of `side`, in memory of `arena`. `key` is null for
  // an event that never joins. Changes nothing.
  void find_partners(JoinSide side, const uint64_t* key, int64_t time, batch::Arena& arena,
                     MutPartners& out) const;
  // The event happened: it is kept where a partner may come, and the chosen partners have found one. Leaves
  // in `partners` what is to be given. False, and nothing changed, when the budget is spent.
  bool keep(JoinSide side, const uint64_t* key, int64_t time, const char* record, MutPartners& partners);
  // Of an asof join: rows that may be the partner of the row that fire() gave at that place, newest first.
  void find_candidates(size_t fired, batch::Arena& arena, MutPartners& out) const;

 private:
  // In a row of the table, one for each side: memory of Sample, a ring.
  struct Samples {
    uint64_t offset;
    uint32_t capacity;  // a power of two; 0: no memory yet
    uint32_t head;
    uint32_t count;
    uint32_t unused;
  };
  struct Sample {
    int64_t time;
    uint64_t node;
  };
  // Followed by the words of the key, whose texts are offsets from the node, and by the packed record.
  struct Node {
    int64_t time;
    uint64_t arrival;
    uint64_t bytes;
    uint32_t record;  // offset
    uint8_t matched;  // has found a partner
    uint8_t silent;   // gives no row without partner
    uint8_t gone;     // is no partner any more; freed when its time comes
    uint8_t unused;
  };
  // A binary heap: the earliest first.
  struct Queued {
    int64_t time;
    uint64_t arrival;
    uint64_t node;
  };
  using Queue = std::deque<Queued>;

  static size_t place(JoinSide side) { return static_cast<size_t>(side); }
  static JoinSide other(JoinSide side) { return side == JoinSide::Left ? JoinSide::Right : JoinSide::Left; }
  const abi::TypeDesc& record_of(JoinSide side) const {
    return side == JoinSide::Left ? *desc_.join.left : *desc_.join.right;
  }
  uint32_t samples_offset(JoinSide side) const {
    return 8 + desc_.key_words * 8 + (side == JoinSide::Left ? 0 : sizeof(Samples));
  }
  Samples load(const char* row, JoinSide side) const;
  void save(char* row, JoinSide side, const Samples& samples) const;
  Sample* at(const Samples& samples, uint32_t index) const;
  Node* node_at(uint64_t offset) const { return reinterpret_cast<Node*>(table_heap().at(offset)); }
  Heap& table_heap() const { return const_cast<KeyedTable&>(table_).heap(); }
  template <typename Visit>
  void for_each_node(JoinSide side, Visit visit) const {
    table_.for_each([&](char* row) {
      Samples samples = load(row, side);
      for (uint32_t i = 0; i < samples.count; ++i) visit(samples, i);
    });
  }
  void load_key(uint64_t node, uint64_t* key) const;
  // First time at which a row of that side has no partner to come.
  int64_t leaves(JoinSide side, int64_t time) const;
  // First sample whose time is not before.
  uint32_t first_from(const Samples& samples, int64_t time) const;
  uint64_t make_node(const uint64_t* key, JoinSide side, int64_t time, const char* record);
  bool add_sample(char* row, JoinSide side, const Sample& sample);
  void remove_sample(char* row, JoinSide side, uint64_t node);
  void push(Queue& queue, const Queued& entry);
  void pop(Queue& queue) const;
  bool may_be_given(JoinSide side, const Node& node) const {
    return node.matched == 0 && node.silent == 0 && node.gone == 0 && node.arrival > exempt_[place(side)];
  }
  // Frees up to `most` rows of a side that the watermark has passed.
  void evict(JoinSide side, uint32_t most);
  void copy_partners(const Samples& samples, uint32_t first, uint32_t count, JoinSide side, bool backwards,
                     batch::Arena& arena, MutPartners& out) const;
  // What the watermark `now` has passed is not seen.
  void find_before(const uint64_t* key, int64_t time, int64_t now, batch::Arena& arena,
                   MutPartners& out) const;
  void forget_replaced(char* row);
  // Whether no left row in time can want that row of an asof join, forgotten or not.
  bool is_replaced(JoinSide side, const Samples& samples, uint32_t index, int64_t watermark) const;
  bool insert(const uint64_t* key, JoinSide side, int64_t time, const char* record, const Node& state);

  Budget& budget_;
  KeyedTable table_;
  mutable Queue waiting_[2];     // by side: rows that leave when no partner comes; some may have found one
  Queue leaving_[2];             // by side: all that leave at a time
  std::vector<uint64_t> fired_;  // asof: nodes that fire() gave
  uint64_t arrivals_ = 0;
  uint64_t exempt_[2] = {0, 0};  // by side: rows up to this arrival give no row without partner (edits)
  uint64_t sample_count_ = 0;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
};

}  // namespace mut::state
