// Samples per key: `over last 30m`, `over last 100 events`, and the passed times of `dedupe`.
// By time: kept in order of time, ties by arrival, until the watermark has passed time + span.
// By count: kept in order of arrival.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "runtime/state/running_cells.h"
#include "runtime/state/store.h"

namespace mut::state {

class RingStore final : public Store {
 public:
  RingStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return table_.view(); }
  void advance(int64_t watermark) override;
  // The watermark at the event to come: what has passed it by `span` is not seen any more.
  void observe(int64_t watermark) { watermark_ = std::max(watermark_, watermark); }
  // Empties a key whose newest sample is longer ago than `ttl`.
  void forget_past(char* row);
  bool is_past(const char* row, int64_t watermark) const;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return sample_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;
  std::unique_ptr<Store> branch() const override;
  void join_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void return_from(const Store& parked, const std::vector<int>& cells) override;

  // The result of cell `index` for an event: over the samples it sees and, unless `excluding`, itself.
  // `sample`: time, arrival (ignored), mask of present values, values (texts as MutStr).
  // Lists and joined texts are made in the arena.
  CellResult query(const char* row, uint32_t index, const uint64_t* sample, bool excluding,
                   batch::Arena& arena) const;
  // Samples [first, last) that an event sees.
  struct Range {
    uint32_t first = 0;
    uint32_t last = 0;
  };
  Range range(const char* row, const uint64_t* sample, bool excluding) const;
  // A sample, or null when it does not count for the cell.
  const uint64_t* counted(const char* row, uint32_t cell, uint32_t index) const;
  // A text of a sample.
  MutStr text(const uint64_t* words) const;
  // Whether a sample of these texts may be added. Asked before anything of a stage changes.
  bool has_room(const char* row, const uint64_t* sample) const;
  // Adds a sample. False when the budget is spent.
  bool push(char* row, const uint64_t* sample);
  // Dedupe: whether a passed event is less than `span` away.
  bool seen_near(const char* row, int64_t time) const;
  // Dedupe that throttles: whether `most` passed events lie in (time - span, time].
  bool is_full(const char* row, int64_t time, int64_t most) const;
  void count_spare() override { running_.count_in_full(); }
  uint64_t arrivals() const { return arrivals_; }
  // A cell made by an edit counts from the next arrival on.
  void start_cell(uint32_t index) {
    desc_.cells[index].since = static_cast<int64_t>(arrivals_) + 1;
    running_.forget();
  }

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  struct Ref {
    uint64_t offset;
    uint32_t capacity;  // samples, a power of two; 0: no memory yet
    uint32_t head;      // oldest sample
    uint32_t count;
    uint32_t running;  // number among running_; 0: none
  };
  uint32_t ref_offset() const { return 8 + desc_.key_words * 8; }
  Ref load(const char* row) const;
  void save(char* row, const Ref& ref) const;
  uint64_t* at(const Ref& ref, uint32_t index) const;
  void free_sample(uint64_t* sample);
  void drop_oldest(Ref& ref);
  // The value of a sample that counts for the cell, or null.
  const uint64_t* value_of(const Ref& ref, uint64_t index, const CellDesc& cell) const;
  // The result over samples [range) and the event itself (null: not), carried along from the event before.
  // False: it has to be made of the samples.
  bool carry(const char* row, uint32_t cell, Range range, const uint64_t* self, CellResult& out) const;
  void leave_running(const Ref& ref);
  void insert_running(const Ref& ref, uint32_t place);
  void purge(Ref& ref);
  // The first sample that no edit of the number of events let go.
  uint32_t first_kept(const Ref& ref) const;
  // Drops the others, of one segment and no more than so many.
  void trim(uint64_t most);
  bool is_started() const { return watermark_ != std::numeric_limits<int64_t>::min(); }
  // By time: whether it is too old for any event that is in time.
  bool is_passed(const uint64_t* sample) const {
    return is_started() && static_cast<int64_t>(sample[0]) <= watermark_ - desc_.span;
  }
  // Dedupe: whether it was that when `within` was made longer.
  bool is_gone(const uint64_t* sample) const;
  // What the number of events was before an edit made it another.
  void keep_last(uint64_t before);
  // Whether the oldest sample is let go when one is added.
  bool goes_next(const Ref& ref) const;
  // Our sample of one event, or null.
  uint64_t* find_sample(const char* row, uint64_t time, uint64_t arrival) const;
  // For each of our columns the one of `old` that its cells continue, or -1.
  std::vector<int> column_sources(const RingStore& old, const std::vector<int>& cells) const;
  // Columns of a sample of `old` as one of ours; texts as MutStr.
  void take_columns(const RingStore& old, const uint64_t* from, const std::vector<int>& columns,
                    uint64_t* sample) const;
  void add_columns(const uint64_t* sample, uint64_t* known);
  uint64_t distinct_few(const char* row, const CellDesc& cell, uint32_t first, uint32_t last,
                        const uint64_t* self) const;
  void load_value(WordKind kind, const uint64_t* from, uint64_t* words) const;
  bool counts(const uint64_t* sample, const CellDesc& cell) const;
  // From when on cell `to` counts: as `from` did, whose arrival numbers were smaller by `shift`.
  static void take_begin(const CellDesc& from, int64_t shift, CellDesc& to);
  void forget_older(int64_t span, CellDesc& cell) const;

  Budget& budget_;
  KeyedTable table_;
  mutable RunningCells running_;  // nothing that is not in the samples
  uint64_t arrivals_ = 0;
  uint64_t sample_count_ = 0;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
  bool shortened_ = false;       // at some cut: samples may be missing that a longer history would hold
  std::vector<Forgotten> gone_;  // dedupe, as those of the cells of a history
  // By count: of the samples up to that arrival so many of the last are there, whatever is still held.
  struct KeptLast {
    int64_t arrival = 0;
    uint64_t count = 0;
  };
  std::vector<KeptLast> kept_last_;  // the later, the more
  // By count: the segment whose rows are let go of what they hold beyond that next; nothing: none holds more.
  std::optional<uint64_t> trim_at_;
  uint64_t swept_arrivals_ = 0;  // arrivals_ when expiry looked last
  uint64_t seed_;
  size_t sweep_ = 0;
};

}  // namespace mut::state
