// The running graph: takes rows from sources, has the shards run them, hands results to sinks, and exchanges
// versions between two rows. All shards stand at the same row then: they run a stretch of rows together, and
// wait for each other. See docs/design/0009-shards.md.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/checkpoint/state_dir.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/env/env.h"
#include "runtime/graph/canary.h"
#include "runtime/graph/crew.h"
#include "runtime/graph/feeds.h"
#include "runtime/graph/fleet.h"
#include "runtime/graph/outlets.h"
#include "runtime/graph/shadow.h"
#include "runtime/swap/migration.h"
#include "runtime/swap/retire_list.h"

namespace mut::runtime {

struct RunnerOptions {
  uint32_t batch_rows = 4096;
  // Where rows are dealt out to shards: so many, as long as they take no longer than an edit may wait for
  // them.
  uint32_t batch_rows_most = 4096;
  size_t memory_bytes = size_t{256} * 1024 * 1024;  // of state
  std::shared_ptr<state::Spill> spill{};            // where it goes on; may be null
  uint32_t shards = 1;
  // Stay: when all sources have ended, the input has not: an edit may bring others. It ends at stop().
  enum class AtEnd : uint8_t { Finish, Stay } at_end = AtEnd::Finish;
  // What time it is, nanoseconds since the epoch, where that is not the machine's clock.
  std::function<int64_t()> now_ns{};
  // Tell: what the end of the input brings about waits for end_input(): a checkpoint may come before it.
  enum class AtLast : uint8_t { Finish, Tell } at_last = AtLast::Finish;
  // Of the hashes of keys; nothing: drawn. State of an earlier run needs the one that it was made with.
  std::optional<uint64_t> seed{};
};

struct SwapResult {
  uint64_t version = 0;
  std::vector<SourceCount> cut;  // records of each source that belong to older versions
  int64_t pause_ns = 0;          // charged: processor time of the exchange itself
  uint64_t entries_converted = 0;
  uint64_t cells_converted = 0;
  std::string refused;  // why it was not taken, and the version before runs on; empty: it was
};

// An edit that is ready: all that can fail has happened, but for conversions that look at each entry.
struct PreparedSwap {
  // Of a shadow: nothing is exchanged, `next` and what it keeps are its own, and it runs from the cut on. It
  // outlives `next`, which counts in its budget.
  std::unique_ptr<Shadow> begins;
  // Of a canary that begins: `next` and what it keeps are its own, the version that runs stays for the
  // others.
  std::unique_ptr<Canary> canary;
  // Of the one that runs: all keys become those of its version, which is `next`; or of the one that runs, by
  // a migration back.
  enum class Closes : uint8_t { Nothing, Completes, Ends } closes = Closes::Nothing;
  Instances next;
  Migration migration;
  uint64_t version = 0;
  std::vector<OutletBinding> new_sinks;  // by sink name, opened
  SourceChanges sources;
  std::vector<SourceCount> at;  // cut when each named source has given this many; empty: at the next boundary
  // Whose state the migration is about: that of the shadow with these rows; where it does not run, nothing is
  // taken. Null: of the live version.
  std::shared_ptr<ShadowRows> adopts;
  // What becomes of a shadow that runs, where this is none itself.
  enum class Beside : uint8_t { Ends, Stays } beside = Beside::Ends;
  // Of one without a cut: whether it comes when what the edit before left to be converted is, or takes that
  // at its cut.
  enum class Rest : uint8_t { Awaits, Takes } rest = Rest::Awaits;
};

struct RunnerStats {
  uint64_t records_in = 0;
  uint64_t rows_out = 0;
  uint64_t swaps = 0;
};

enum class Progress : uint8_t {
  More,    // call again
  Idle,    // sources have nothing now, or sinks take nothing: the bell says when
  Ending,  // all sources have ended, and end_input() is to be called: AtLast::Tell
  Done,    // all sources ended and everything has fired
  Failed,  // error() says why
};

class Runner {
 public:
  // `retired` takes the kernels of older versions; it outlives the runner.
  Runner(env::Env& env, const RunnerOptions& options, RetireList& retired);
  ~Runner();

  // A version with empty stores. Threads: any.
  Instances make_instances(const std::shared_ptr<const Plan>& plan, const Kernels& kernels) const {
    return fleet_.make_instances(plan, kernels);
  }

  // The first version. Readers and sinks are matched by name; all that the plan names must be there.
  void start(Instances instances, uint64_t version, NamedReaders sources, std::vector<OutletBinding> sinks);
  void set_stamp(bool stamp) { outlets_.set_stamp(stamp); }
  // Takes effect at its cut, or at the next boundary. One at a time: the earlier must have happened.
  void schedule(PreparedSwap swap);
  bool swap_waits() const { return scheduled_.has_value(); }
  // Whether the next version waits for a record; then it can still be let go of.
  bool waits_for_cut() const { return scheduled_ && !scheduled_->at.empty(); }
  void unschedule();
  std::optional<SwapResult> take_swap_result() { return std::exchange(last_swap_, std::nullopt); }

  // One that can begin: its fleet makes the instances of the candidate. Threads: any.
  std::unique_ptr<Shadow> make_shadow(std::shared_ptr<ShadowRows> rows);
  // The one that runs, or null. Between two calls of run().
  const Shadow* shadow() const { return shadow_.get(); }
  // What the first shard has spent on the rows that both have run, nanoseconds of processor time.
  struct Cost {
    int64_t live_ns = 0;
    int64_t candidate_ns = 0;
    uint64_t errors = 0;     // event errors of the candidate
    size_t state_bytes = 0;  // that it has, or had at its end
  };
  // Of the one that runs, or ran last.
  Cost shadow_cost() const;
  void end_shadow();

  // One that can begin. `version`: its number. Threads: any.
  std::unique_ptr<Canary> make_canary(Division division, uint64_t version);
  // The one that runs, or null. Between two calls of run().
  const Canary* canary() const { return canary_.get(); }
  struct CanaryFigures {
    uint64_t records = 0;    // of its keys
    uint64_t rows = 0;       // that it gave to sinks
    uint64_t live_rows = 0;  // that the other version gave meanwhile
    uint64_t errors = 0;     // event errors of its records
    size_t state_bytes = 0;  // that it has, or had at its end
  };
  // Of the one that runs, or ran last.
  CanaryFigures canary_figures() const;
  // What versions that were no canary have done since the start; of that stream, or of all where it is empty.
  // Between two calls of run().
  uint64_t live_records() const;
  uint64_t live_errors(const std::string& stream) const;

  // Runs about one batch.
  Progress run();
  // Raises every watermark to `time` and fires what is due. Between two calls of run(). False on failure.
  bool advance(int64_t time);
  // What is decoded is still processed; then the input counts as ended.
  void stop();
  // After Ending. Finish: what the end of the input brings about comes now. Leave: it comes in another run,
  // which goes on from here.
  enum class End : uint8_t { Finish, Leave };
  void end_input(End end);
  bool was_stopped() const { return stopped_; }

  // Whether all shards stand between two events with nothing under way. Between two calls of run().
  bool at_boundary() const;
  // Between two events: rows that wait are given to the sinks, and what was run so far is what
  // acknowledge_saved() means. False where an event is under way, or on failure: nothing has changed.
  bool hand_over_output();
  // Whether something is left to be converted of what an edit took over.
  bool is_taking() const;
  // All that another run needs to go on from here: sections, and places of sources. At a boundary. Rows that
  // wait are given to the sinks first.
  void save(state::Saver& saver, checkpoint::Contents& to);
  // Behind start() of the same program with as many shards and the same seed. On failure nothing of it is of
  // use.
  Status load(const checkpoint::Loaded& from);

  // Pushes what waits in sinks to the world.
  Status flush();
  Status close();

  const Error& error() const { return error_; }
  // What runs. Threads: that of run(), between two calls. State of which several shards have a part may not
  // be together.
  const Fleet& fleet() const { return fleet_; }
  // The same with each group in one shard.
  const Fleet& gathered_fleet() {
    gather_state();
    return fleet_;
  }
  const Plan& plan() const { return fleet_.plan(); }
  // How many stores of older versions nothing needs any more: what they had is retired.
  uint64_t emptied() const { return emptied_; }
  // See Fleet.
  void gather_state();
  // Other code for the same version.
  void exchange_kernels(const Kernels& kernels);
  uint64_t version() const { return version_; }
  const RunnerStats& stats() const { return stats_; }
  const Feeds& feeds() const { return feeds_; }
  // The checkpoint that was saved last is durable; without checkpoints: what was handed over last has left
  // the sinks.
  void acknowledge_saved() { feeds_.acknowledge_saved(); }
  const Outlets& outlets() const { return outlets_; }
  // Entries of what an edit dropped, for an undo; 0: it is not there.
  uint64_t parked_entries(const ParkId& id) const;
  void let_go(const ParkId& id);
  state::Budget& budget() { return fleet_.budget(); }
  const ErrorLog& errors() const { return fleet_.errors(); }
  uint64_t seed() const { return fleet_.seed(); }

 private:
  Progress advance();
  bool is_under_way() const { return stretch_ || fleet_.is_firing(); }
  // What sources that have been silent for long bring about.
  void look_for_idle();
  // A stretch of rows that all shards run: until each has, it goes on with the next call of run().
  struct Stretch {
    size_t source = 0;
    std::vector<MutCursor> cursors;  // by shard
    int64_t watermark = 0;           // that it began with
    std::vector<MutCursor> inside;   // of a canary
    uint32_t row_end = 0;            // of both
    int64_t begin_ns = 0;            // of several shards: when it was begun last, by the steady clock
  };
  Fleet::Runs run_shards(Stretch& stretch);
  bool run_rows(const Turn& turn);
  void choose_batch_rows(const Stretch& stretch);
  bool go_on();
  bool run_once(size_t index, const MutCursor& cursor);
  bool sabotage(size_t index, MutCursor& cursor);
  void finish_input();
  // It was stopped, and another run goes on: no source has come to its end by that.
  bool leaves_end() const {
    return stopped_ && options_.at_last == RunnerOptions::AtLast::Tell && !end_is_told_;
  }
  // Called by a shard whose sinks are full.
  bool take_output(Shard& shard);
  bool take_all_output(Merge by);
  // Those that run the rows.
  Readers readers() const;
  void exchange();
  void begin_shadow(PreparedSwap swap);
  void begin_canary(PreparedSwap swap);
  void close_canary(PreparedSwap swap);
  void let_canary_go();
  bool go_on_beside();
  enum class Went : uint8_t { On, Firing, Failed };  // Firing: more is to fire
  Went run_outside(Stretch& at);
  Went run_inside(Stretch& at);
  bool take_output_of_both(Outlets::Order order, uint64_t last_position);
  bool take_reached();
  void take_place(Instances next);
  void fire_due();
  // The shadow follows what the live version has done.
  void fire_shadow();
  // Whether the edit that is scheduled waits for what the one before left to be taken over.
  bool awaits_rest();
  // The store that it took over, if nothing of that is left.
  void retire_emptied(state::Store& store);
  // A piece of what the edit before left to be converted; whether more is left.
  bool take_over();
  // Lets go of state, of so many bytes that count in that budget, beside the running thread.
  void retire(std::shared_ptr<void> owned, size_t bytes, const std::shared_ptr<state::Budget>& counted);
  void retire(Instances old, const Fleet& of);
  void retire(const Kernels& code);
  void retire_conversions(Migration& migration);
  // The next version is not taken.
  void refuse(PreparedSwap swap, std::string why);
  void count_parked();
  bool fail(Error error);

  env::Env& env_;
  RetireList& retired_;
  RetireList::Worker& worker_;
  RunnerOptions options_;
  Crew crew_;  // its threads run the shards of fleets, and nothing while run() does not
  Fleet fleet_;
  std::unique_ptr<Shadow> shadow_;
  Cost shadow_cost_;
  std::unique_ptr<Canary> canary_;
  CanaryFigures canary_figures_;
  RowsAhead ahead_;            // of the version beside a canary
  EventCounts past_canaries_;  // what those that are over have done
  uint64_t version_ = 0;
  Feeds feeds_;
  Outlets outlets_;
  std::optional<PreparedSwap> scheduled_;
  int64_t rest_until_ns_ = 0;  // by the steady clock
  std::optional<SwapResult> last_swap_;
  RunnerStats stats_;
  uint64_t emptied_ = 0;
  Error error_;
  bool finished_ = false;
  bool stopped_ = false;
  bool end_is_told_ = false;
  std::optional<Stretch> stretch_;  // that is not over
};

}  // namespace mut::runtime
