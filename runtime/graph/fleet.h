// All shards of one version: they run the same rows in step and fire together, as if there were one.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/graph/crew.h"
#include "runtime/graph/deal_choice.h"
#include "runtime/graph/dealt_rows.h"
#include "runtime/graph/merged_rows.h"
#include "runtime/graph/shard.h"
#include "runtime/state/budget.h"

namespace mut::state {
class PaneStore;
}

namespace mut::runtime {

// A version, made for each shard.
using Instances = std::vector<std::unique_ptr<Instance>>;
using Shards = std::vector<std::unique_ptr<Shard>>;

// Threads: one; the others of the crew run inside of run() only.
class Fleet {
 public:
  // How many shards, and the seed of their hashes. State counts in the budget, which outlives the instances.
  struct Makeup {
    uint32_t shards = 1;
    uint64_t seed = 0;
    std::shared_ptr<state::Budget> budget;
    Shard::Of of = Shard::Of::Live;
    uint32_t part_rows = 1;  // least that a shard takes at a time, where rows are dealt out
  };
  // `full`: rows of that shard are to be taken, see Shard; not called while several shards run at once.
  Fleet(Crew& crew, Makeup makeup, std::function<bool(Shard&)> full);

  // A version with empty stores. Threads: any.
  Instances make_instances(const std::shared_ptr<const Plan>& plan, const Kernels& kernels) const;
  // Gives back the version that ran until now; nulls at first.
  Instances set_instances(Instances next);

  size_t size() const { return shards_.size(); }
  const Shards& shards() const { return shards_; }
  Instance& instance(size_t shard) const { return shards_[shard]->instance(); }
  const Plan& plan() const { return instance(0).plan(); }
  state::Budget& budget() const { return *makeup_.budget; }
  const std::shared_ptr<state::Budget>& shared_budget() const { return makeup_.budget; }
  uint64_t seed() const { return makeup_.seed; }
  uint32_t part_rows() const { return makeup_.part_rows; }

  // All shards over rows of a batch of that source, each from its cursor on, as far as they come.
  enum class Runs : uint8_t { Over, Partly, Failed };
  Runs run(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors);
  // State that shards have in parts comes together in the first. Before anybody looks at it, and before it
  // goes over to another version.
  void gather();
  // Cursors of all shards at the same rows.
  std::vector<MutCursor> cursors(size_t source, uint32_t row, uint32_t row_end) const;

  bool is_firing() const;
  // Of one shard: see there.
  void run_until_due(size_t source, const MutBatch& rows, MutCursor& cursor) {
    (void)shards_[0]->run_until_due(source, rows, cursor);
  }
  bool is_full() const { return shards_[0]->is_full(); }
  Shard::Ran fire_rest() {
    gather();
    return shards_[0]->fire_rest();
  }
  void fire_due();
  void expire();
  void let_timers_go();
  // What is processed or fires from here on arrived then.
  void set_arrival(int64_t arrival_ns);
  // What fires is by an event of that source.
  void set_source(uint32_t source);
  // Raises the watermark of each of the first `sources` sources.
  void raise_watermarks(size_t sources, int64_t time);
  // Sources that have ended, by index, hold nothing back. Final: no others will come, and what has no time of
  // its own is given too.
  enum class End : uint8_t { OfSome, Final };
  void finish_input(const std::vector<char>& over, End end);

  // Rows that wait in the sinks of all shards, by emit, as if one had made them; good until clear_output().
  std::span<const MutSink> output(Merge by);
  uint64_t output_rows() const;
  void clear_output();
  // What all shards have told so far.
  ErrorLog& gather_errors();
  const ErrorLog& errors() const { return shards_[0]->errors(); }

  // Of a store, in all shards; what each shard has once.
  uint64_t entry_count(size_t store) const;
  uint64_t late_count(size_t store) const;
  uint64_t let_go_count(size_t store) const;
  uint64_t dropped(size_t site) const;
  int64_t due(size_t store) const;
  // Of a store: by shard. Empty with one, and where no key says whose an entry is.
  std::vector<uint64_t> entries_by_shard(size_t store) const;
  // How long each shard has run rows, of this version and those before, nanoseconds. Empty with one.
  std::vector<int64_t> worked_ns() const;

 private:
  Runs run_in_step(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors);
  // In fleet_parts.cpp.
  Runs run_in_parts(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors);
  class PartsOfShards;
  bool can_deal(size_t source);
  uint32_t run_calm(size_t source, const MutBatch& rows, MutCursor& at);
  int64_t watermark_behind(const MutBatch& rows, const Deal& deal, const MutCursor& at,
                           const PartsOfShards& parts);
  void run_dealt(size_t source, const MutBatch& rows, PartsOfShards& parts);
  int64_t next_due(size_t source);
  state::PaneStore& panes(size_t shard, size_t store) const;
  void share_ticks();
  // What one shard has planned for a stage holds in all of them.
  void share_tick(size_t store);
  void fire_at_end();
  void share_stage_clocks();
  void share_newest(size_t store);
  template <typename Count>
  uint64_t over_shards(size_t store, const Count& count) const;

  Crew& crew_;
  Makeup makeup_;
  Shards shards_;  // at least one
  MergedRows merged_;
  DealtRows dealt_;
  DealChoice choice_;
  bool parted_ = false;    // some state is not in the first shard yet
  bool together_ = false;  // the shards run at once: rows stay in their sinks meanwhile
};

}  // namespace mut::runtime
