// One shard of the running graph: takes rows through the kernels of one version, and fires what its state
// brings about.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "runtime/env/does.h"
#include "runtime/graph/instance.h"
#include "runtime/swap/migration.h"

namespace mut::runtime {

// Threads: one at a time; what it is given lives elsewhere and does not change meanwhile.
class Shard {
 public:
  enum class Of : uint8_t { Live, Beside };  // Beside: not of the version that a profile shows
  // `full`: rows are to be taken out of the sinks, by clear_output() in the end; false: they cannot, stop.
  Shard(uint32_t index, Of of, std::function<bool(Shard&)> full)
      : index_(index), of_(of), full_(std::move(full)) {}

  uint32_t index() const { return index_; }
  Instance& instance() { return *instance_; }
  const Instance& instance() const { return *instance_; }
  // Gives back the version that ran until now; null at first.
  std::unique_ptr<Instance> set_instance(std::unique_ptr<Instance> instance) {
    fired_rows_.clear();
    return std::exchange(instance_, std::move(instance));
  }
  // What fires before the first row is brought about by the event that the other one had last.
  void stand_where(const Shard& other) {
    cause_position_ = other.cause_position_;
    instance_->context().source = other.instance_->context().source;
  }
  // As if it had run the rows of that batch before `row`, which others have.
  void stand_behind(size_t source, const MutBatch& rows, uint32_t row, int64_t watermark);
  // The watermark of that source at which something of this shard fires.
  int64_t due_by(size_t source) {
    update_due(source);
    return instance_->context().due;
  }
  ErrorLog& errors() { return errors_; }
  Parked& kept() { return kept_; }
  const Parked& kept() const { return kept_; }

  enum class Ran : uint8_t { All, Some, Stopped };  // Some: call fire_rest(), then again
  // Rows of a batch of that source from the cursor on; fires in between what becomes due.
  Ran run(size_t source, const MutBatch& rows, MutCursor& cursor) {
    return run(source, rows, cursor, Fires::OnTheWay);
  }
  // The same, but stops before the row at which something is due, and before one for which the sinks have no
  // room: nothing is taken out of them.
  Ran run_until_due(size_t source, const MutBatch& rows, MutCursor& cursor) {
    return run(source, rows, cursor, Fires::ByCaller);
  }
  // There is no room for rows of another event.
  bool is_full() const { return instance_->context().output_rows >= instance_->context().output_rows_max; }
  // What is left to fire of an event that is being processed.
  bool is_firing() const { return firing_; }
  Ran fire_rest();
  // All that the watermarks have reached.
  void fire_due();
  // What fires first of that: in order of due time, then stores before params, then of declaration.
  struct Due {
    enum class Is : uint8_t { Store, Set, Nothing };
    int64_t at = state::never;  // as of the sources
    Is is = Is::Nothing;
    size_t index = 0;
    friend auto operator<=>(const Due&, const Due&) = default;
  };
  Due next_due() const;
  // That must be it.
  void fire(const Due& due);
  // Nothing of what is due is older than the watermarks: lets go of what is, a piece at a time.
  void expire();
  // Rows of the sinks have been taken.
  void clear_output();

  // At the end of the input, `over` by source. Windows of a number of events whose events come from sources
  // that are over, or from what these bring about.
  enum class Rest : uint8_t { OfSources, OfResults };
  void finish_counts(Rest rest, const std::vector<char>& over);
  void end_stores(const std::vector<char>& over);
  // What that store has to give without a time of its own, where it waits for the end.
  void finish(size_t store);
  bool stopped() const { return stopped_; }

  // As an Instance.
  void save(state::Saver& to);
  void load(state::Loader& from);

 private:
  enum class Fired : uint8_t { All, Some };
  enum class Fires : uint8_t { OnTheWay, ByCaller };
  Ran run(size_t source, const MutBatch& rows, MutCursor& cursor, Fires fires);
  Ran fire(Fires fires);
  bool take_output();
  void fire_store(size_t index);
  state::ResultRows& fired_rows(size_t index);
  void run_results(size_t index, const state::ResultRows& rows);
  Fired fire_piece();
  void update_due(size_t running);

  env::Does keeps_state(size_t store) const;

  uint32_t index_;
  Of of_;
  std::function<bool(Shard&)> full_;
  std::unique_ptr<Instance> instance_;
  ErrorLog errors_;
  Parked kept_;                // stores of older versions
  batch::Arena result_texts_;  // of results, until the rows made of them are taken
  std::vector<std::unique_ptr<state::ResultRows>> fired_rows_;  // by store; null: has not fired, or much
  uint64_t cause_position_ = 0;
  bool firing_ = false;  // the kernel was left where something was due, and not all of it has fired
  bool stopped_ = false;
};

}  // namespace mut::runtime
