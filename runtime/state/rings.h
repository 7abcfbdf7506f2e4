// Samples per key: `over last 30m`, `over last 100 events`, and the passed times of `dedupe`.
// By time: kept in order of time, ties by arrival, until the watermark has passed time + span.
// By count: kept in order of arrival.
#pragma once
#include <algorithm>

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
  uint64_t entry_count() const override { return sample_count_ + (table_.left() > 0 ? waiting_ : 0); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  bool can_take_over(const Store& old, const std::vector<int>& cells) const override;
  void take_over(std::shared_ptr<Store> old, const std::vector<int>& cells, int64_t watermark,
                 std::shared_ptr<KeyChange> change) override;
  void take_piece(uint64_t entries) override { table_.take_piece(entries); }
  uint64_t left_to_take() const override { return table_.left(); }
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
  bool is_started() const { return watermark_ != std::numeric_limits<int64_t>::min(); }
  // What of an older store goes over whatever its samples are.
  void begin_from(const RingStore& old, const std::vector<int>& cells, int64_t watermark);
  // The first sample of an older row that is here too, `watermark` being that of the cut.
  uint32_t first_taken(const RingStore& old, const Ref& ref, int64_t watermark) const;
  // Those from `first` on, into a row that has none. False: the budget has no room, and it has none still.
  enum class Room : uint8_t { OfBudget, Regardless };
  bool take_samples(const RingStore& old, const Ref& from, uint32_t first, const std::vector<int>& columns,
                    Room room, char* made);
  bool has_room_for(uint64_t bytes);
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
  bool shortened_ = false;  // at some cut: samples may be missing that a longer history would hold
  uint64_t waiting_ = 0;    // samples of the store that is taken over, those that are past too
  // Samples that should have been added since expiry looked at a segment, and those that it knows of.
  mutable uint64_t asked_ = 0;
  uint64_t counted_ = 0;
  uint64_t seed_;
  size_t sweep_ = 0;
};

}  // namespace mut::state
