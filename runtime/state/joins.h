// Rows of the two sides of a join, per key, in order of (time, arrival), until no row in time can be their
// partner any more. See docs/design/0006-second-inputs.md. One thread.
#pragma once
#include <array>
#include <cstring>

#include "runtime/state/keyed_table.h"
#include "runtime/state/leaving_rows.h"
#include "runtime/state/store.h"

namespace mut::state {

class JoinStore final : public Store {
 public:
  JoinStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return table_.view(); }
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  void advance(int64_t watermark) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return sample_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // The watermark at the event to come. Frees a few rows that it has passed.
  void observe(int64_t watermark);
  // Rows of the other side within the bounds of an event of `side`: what they hold outside of themselves lies
  // in `arena`, they themselves do until the store is asked again. `key` is null for an event that never
  // joins. No row changes.
  void find_partners(JoinSide side, const uint64_t* key, int64_t time, batch::Arena& arena, MutPartners& out);
  // That event happened: it is kept where a partner may come, and the chosen partners have found one. Leaves
  // in `partners` what is to be given. False, and nothing changed, when the budget is spent.
  bool keep(JoinSide side, const uint64_t* key, int64_t time, const char* record, MutPartners& partners);
  // Of an asof join: rows that may be the partner of the row that fire() gave at that place, newest first.
  void find_candidates(size_t fired, batch::Arena& arena, MutPartners& out) const;

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  // In a row of the table, one for each side. A row that is alone is named in place, several by a ring.
  struct Samples {
    static constexpr uint32_t in_place = ~0U;
    uint64_t memory;  // of the ring, of Sample; in place: the node
    union {
      uint64_t capacity;  // of the ring, a power of two; 0: there is none
      int64_t time;       // in place: of the node
    };
    uint32_t count;
    uint32_t head;  // of the ring, or in_place
  };
  struct Sample {
    int64_t time;
    uint64_t node;
  };
  // Followed by the packed record.
  struct Node {
    int64_t time;
    uint64_t arrival;
    uint64_t bytes : 60;
    uint64_t matched : 1;  // has found a partner
    uint64_t silent : 1;   // gives no row without partner
    uint64_t gone : 1;     // is no partner any more; freed when its time comes
    uint64_t leaving : 1;  // is named by Side::leaving
    const char* record() const { return reinterpret_cast<const char*>(this + 1); }
    char* record() { return reinterpret_cast<char*>(this + 1); }
    uint64_t record_bytes() const { return bytes - sizeof(Node); }
  };
  struct Side {
    explicit Side(Budget& budget) : leaving(budget), waiting(budget) {}
    LeavingRows leaving;          // all that leave at a time
    mutable LeavingRows waiting;  // that leave when no partner comes; some may have found one
    uint64_t exempt = 0;          // rows up to this arrival give no row without partner (edits)
    // Of the rule and the record.
    int64_t wait_ns = 0;       // how long after its time the last partner of a row may come
    bool waits = false;        // rows come out when their time has come
    bool gives_alone = false;  // rows without partner are given
    uint64_t plain_bytes = 0;  // of a packed record that holds no texts; 0: of others
  };
  // What find_partners() has learnt of the key that keep() goes on with.
  struct Asked {
    uint64_t hash = 0;
    char* row = nullptr;
  };

  static size_t place(JoinSide side) { return static_cast<size_t>(side); }
  static JoinSide other(JoinSide side) { return side == JoinSide::Left ? JoinSide::Right : JoinSide::Left; }
  static int64_t plus(int64_t time, int64_t duration) {
    int64_t out = 0;
    if (!__builtin_add_overflow(time, duration, &out)) return out;
    return duration < 0 ? std::numeric_limits<int64_t>::min() : never;
  }
  const Side& of(JoinSide side) const { return sides_[place(side)]; }
  Side& of(JoinSide side) { return sides_[place(side)]; }
  const abi::TypeDesc& record_of(JoinSide side) const {
    return side == JoinSide::Left ? *desc_.join.left : *desc_.join.right;
  }
  void take_rules();

  // ---- rows of a key (join_rows.cpp)
  char* samples_in(char* row, JoinSide side) const {
    return row + 8 + desc_.key_words * 8 + (side == JoinSide::Left ? 0 : sizeof(Samples));
  }
  Samples load(const char* row, JoinSide side) const {
    Samples out;
    memcpy(&out, samples_in(const_cast<char*>(row), side), sizeof(out));
    return out;
  }
  void save(char* row, JoinSide side, const Samples& samples) const {
    memcpy(samples_in(row, side), &samples, sizeof(samples));
  }
  Sample at(const Samples& samples, uint32_t index) const {
    return samples.head == Samples::in_place ? Sample{samples.time, samples.memory} : in_ring(samples, index);
  }
  Sample& in_ring(const Samples& samples, uint32_t index) const {
    uint64_t slot = (uint64_t{samples.head} + index) & (samples.capacity - 1);
    return reinterpret_cast<Sample*>(table_heap().at(samples.memory))[slot];
  }
  Node& node_at(uint64_t offset) const { return *reinterpret_cast<Node*>(table_heap().at(offset)); }
  const MutTable& table_view() const { return *const_cast<KeyedTable&>(table_).view(); }
  uint64_t hash_of(const uint64_t* key) const;
  static uint64_t hash_in(const char* row) { return *reinterpret_cast<const uint64_t*>(row); }
  Heap& table_heap() const { return const_cast<KeyedTable&>(table_).heap(); }
  template <typename Visit>
  void for_each_node(JoinSide side, Visit visit) const {
    table_.for_each([&](char* row) {
      Samples samples = load(row, side);
      for (uint32_t i = 0; i < samples.count; ++i) visit(row, samples, i);
    });
  }
  // First sample whose time is not before.
  uint32_t first_from(const Samples& samples, int64_t time) const;
  // Where a row stands among those of its key and side; their count: it is not there.
  uint32_t index_of(const Samples& samples, int64_t time, uint64_t node) const;
  // The row of the table that names the node, which is not gone.
  char* row_of(JoinSide side, const LeavingRows::Row& row) const;
  uint64_t make_node(JoinSide side, int64_t time, const char* record);
  // Of a key that has no row of that side; the memory of the key's row is not read.
  void name_in_place(char* row, JoinSide side, const Sample& sample);
  // False, and nothing changed, when the budget is spent.
  bool add_sample(char* row, JoinSide side, const Sample& sample);
  void remove_sample(char* row, JoinSide side, uint64_t node);

  // First time at which a row of that side has no partner to come.
  int64_t leaves(JoinSide side, int64_t time) const { return plus(plus(time, of(side).wait_ns), 1); }
  bool may_be_given(JoinSide side, const Node& node) const {
    return node.matched == 0 && node.silent == 0 && node.gone == 0 && node.arrival > of(side).exempt;
  }
  bool has_left(JoinSide side) const {
    const LeavingRows& leaving = of(side).leaving;
    return !leaving.empty() && leaves(side, leaving.front().time) <= watermark_;
  }
  // Frees up to `most` rows of a side that the watermark has passed.
  void evict(JoinSide side, uint32_t most);
  void fetch_ahead(const LeavingRows& leaving) const;
  void copy_partners(const Samples& samples, uint32_t first, uint32_t count, JoinSide side, bool backwards,
                     batch::Arena& arena, MutPartners& out) const;
  // What the watermark `now` has passed is not seen.
  void find_before(const char* row, int64_t time, int64_t now, batch::Arena& arena, MutPartners& out) const;
  void forget_replaced(char* row);
  // Whether no left row in time can want that row of an asof join, forgotten or not.
  bool is_replaced(JoinSide side, const Samples& samples, uint32_t index, int64_t watermark) const;
  // The row of the table where it is now; null, and nothing changed, when the budget is spent.
  char* insert(const uint64_t* key, const Asked& asked, JoinSide side, int64_t time, const char* record,
               const Node& state);

  Budget& budget_;
  KeyedTable table_;
  std::array<Side, 2> sides_;  // by JoinSide
  Asked asked_;
  std::vector<LeavingRows::Row> fired_;  // asof: that fire() gave, each a left row
  uint64_t arrivals_ = 0;
  uint64_t sample_count_ = 0;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
};

}  // namespace mut::state
