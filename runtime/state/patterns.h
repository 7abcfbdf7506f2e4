// Events of a `match`, per key and in order of time, and the starts among them that are not decided yet.
// Out of order events wait until the watermark has settled them; later ones are late.
#pragma once
#include <map>
#include <memory>
#include <queue>

#include "runtime/state/open_starts.h"
#include "runtime/state/samples.h"
#include "runtime/state/saved.h"
#include "runtime/state/store.h"
#include "runtime/state/values.h"

namespace mut::state {

// Machine code of the conditions that look back: whether event `event`, a sample of the store, satisfies a
// name. `measures`: three words each: value, second word of a text, and bits: 1 there is
// one, 2 it does not fit. A list, map or record of one event is packed, as a text (state/packed).
using PatternCondition = int32_t (*)(MutContext* ctx, uint32_t name, const uint64_t* event,
                                     const uint64_t* measures);

class PatternStore final : public Store {
 public:
  PatternStore(StoreDesc desc, uint64_t seed, Budget& budget);
  ~PatternStore() override;
  void* view() override { return table_.view(); }
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return event_count_; }
  uint64_t let_go_count() const override { return let_go_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // Null where no condition looks back.
  void set_condition(PatternCondition condition, MutContext* context) {
    condition_ = condition;
    context_ = context;
  }
  // An event: its sample has time, a word for the arrival, the mask of what measures admit, the mask of names
  // that it satisfies, then columns. `watermark`: at the event. Gives what is decided now, until the next
  // call; `texts` as for ResultRows. Null, and nothing changed, when the budget is spent.
  const ResultRows* add(const uint64_t* key, const uint64_t* sample, int64_t watermark, batch::Arena& texts);

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  struct Group;
  class Events;
  struct Deadline {
    int64_t time;
    uint64_t group;
    bool operator>(const Deadline& other) const { return time > other.time; }
  };
  // One that can be saved in whatever order its memory has.
  struct Deadlines : std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> {
    template <typename Io, typename Self>
    static void pass(Io& io, Self& self) {
      pass_plain(io, self.c);
    }
  };
  struct Waiting {
    uint64_t group;
    Sample sample;
  };

  uint64_t group_of(const uint64_t* key);  // 0 when the budget is spent
  Group& group(uint64_t number) { return *groups_[number - 1]; }
  void release_group(uint64_t number);
  Sample take_sample(const uint64_t* sample);
  void let_sample_go(const uint64_t* sample);
  // What the texts of a sample that comes in, and what is packed in it, add to the budget. Were that more
  // than is left, memory that is given back to the heap would never be enough again.
  size_t text_bytes(const uint64_t* sample) const;
  size_t sample_bytes() const { return desc_.sample_words * size_t{8}; }
  void take(uint64_t number, Sample sample, int64_t now, ResultRows& rows);
  void decide(uint64_t number, int64_t now, ResultRows& rows);
  bool decide_front(PatternSearch& search, Group& group, int64_t now, ResultRows& rows);
  void decide_all(PatternSearch& search, Group& group, int64_t now, ResultRows& rows);
  Found run(PatternSearch& search, const Group& group, PatternStart& start, int64_t now);
  void forget_before_starts(Group& group);
  void count(Group& group);
  void give(const Group& group, const PatternStart& start, ResultRows& rows);
  // `texts`: for lists.
  CellResult measure(const Group& group, uint32_t index, const std::vector<BoundEvent>& bound,
                     batch::Arena& texts) const;
  void read_column(const uint64_t* sample, uint32_t index, uint64_t* words) const;
  template <typename Admitted>
  CellResult picked_measure(const CellDesc& desc, const std::vector<BoundEvent>& bound,
                            const Admitted& admitted) const;
  CellResult kept_measure(const CellDesc& desc, const std::vector<KeptValue>& values,
                          batch::Arena& texts) const;
  void expect(uint64_t number, const Group& group);
  int64_t deadline_of(const Group& group, uint64_t event) const;
  uint32_t number_offset() const { return desc_.row_size - 8; }
  Heap& heap() const { return const_cast<KeyedTable&>(table_).heap(); }

  Budget& budget_;
  KeyedTable table_;  // key → number of its group
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<uint64_t> free_groups_;
  std::map<std::pair<int64_t, uint64_t>, Waiting> waiting_;  // by time and arrival
  // Groups that may be due, the earliest first; some are not any more.
  mutable Deadlines deadlines_;
  uint64_t arrivals_ = 0;
  uint64_t event_count_ = 0;
  uint64_t let_go_ = 0;
  int64_t settled_ = std::numeric_limits<int64_t>::min();
  std::optional<ResultRows> given_;  // of the last add()
  const batch::Arena* given_texts_ = nullptr;
  PatternCondition condition_ = nullptr;
  MutContext* context_ = nullptr;
  mutable batch::Arena lists_;  // what a condition is given, while it is asked
};

}  // namespace mut::state
