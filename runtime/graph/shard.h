// The running graph on one thread: takes rows from sources, runs them through the kernels of one
// version, fires what is due, hands results to sinks, and exchanges versions between two rows.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"
#include "runtime/graph/instance.h"
#include "runtime/graph/outlets.h"
#include "runtime/swap/migration.h"
#include "runtime/swap/retire_list.h"

namespace mut::runtime {

struct ShardOptions {
  uint32_t batch_rows = 4096;
  size_t memory_bytes = size_t{256} * 1024 * 1024;  // of state
  // Stay: when all sources have ended, the input has not: an edit may bring others. It ends at stop().
  enum class AtEnd : uint8_t { Finish, Stay } at_end = AtEnd::Finish;
};

// How far a source has been read.
struct FeedState {
  std::string name;
  uint64_t records = 0;
  enum class Reads : uint8_t { Nothing, Waiting, Rows, Ended } reads = Reads::Nothing;
};

struct SourceCount {
  std::string source;
  uint64_t records = 0;
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
  std::unique_ptr<Instance> next;
  Migration migration;
  uint64_t version = 0;
  std::vector<OutletBinding> new_sinks;  // by sink name, opened
  std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>> new_sources;
  // Sources that read something else: what that is called now and was so far, and what reads it unless an
  // earlier version has left it somewhere.
  struct Replaced {
    std::string source;
    std::string was;
    std::string now;
    std::unique_ptr<connector::SourceReader> reader;
  };
  std::vector<Replaced> replaced;
  std::vector<std::string> redeclared;  // sources whose record type changed
  std::vector<SourceCount> at;  // cut when each named source has given this many; empty: at the next boundary
};

struct ShardStats {
  uint64_t records_in = 0;
  uint64_t rows_out = 0;
  uint64_t batches = 0;
  uint64_t swaps = 0;
};

enum class Progress : uint8_t {
  More,    // call again
  Idle,    // sources have nothing now
  Done,    // all sources ended and everything has fired
  Failed,  // error() says why
};

class Shard {
 public:
  // `retired` takes the kernels of older versions; it outlives the shard.
  Shard(env::Env& env, const ShardOptions& options, RetireList& retired);
  ~Shard();

  // The first version. Readers and sinks are matched by name; all that the plan names must be there.
  void start(std::unique_ptr<Instance> instance, uint64_t version,
             std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>> sources,
             std::vector<OutletBinding> sinks);
  void set_stamp(bool stamp) { outlets_.set_stamp(stamp); }
  // Takes effect at its cut, or at the next boundary. One at a time: the earlier must have happened.
  void schedule(PreparedSwap swap);
  bool swap_waits() const { return scheduled_.has_value(); }
  // Whether the next version waits for a record; then it can still be let go of.
  bool waits_for_cut() const { return scheduled_ && !scheduled_->at.empty(); }
  void unschedule() { scheduled_.reset(); }
  std::optional<SwapResult> take_swap_result() { return std::exchange(last_swap_, std::nullopt); }

  // Runs about one batch.
  Progress run();
  // Raises every watermark to `time` and fires what is due. Between two calls of run(). False on failure.
  bool advance(int64_t time);
  // What is decoded is still processed; then the input counts as ended.
  void stop();
  // Pushes what waits in sinks to the world.
  Status flush();
  Status close();

  const Error& error() const { return error_; }
  Instance& instance() { return *instance_; }
  // Other code for the same version.
  void exchange_kernels(Kernels kernels);
  uint64_t version() const { return version_; }
  const ShardStats& stats() const { return stats_; }
  std::vector<SourceCount> positions() const;
  std::vector<FeedState> feed_states() const;  // by source of the plan
  const Outlets& outlets() const { return outlets_; }
  // What edits dropped, for an undo; null: it is not there.
  const state::Store* parked(const ParkId& id) const;
  void let_go(const ParkId& id);
  state::Budget& budget() { return budget_; }
  ErrorLog& errors() { return errors_; }
  int64_t retry_after_ns() const;
  uint64_t seed() const { return seed_; }

 private:
  struct Feed {
    std::string name;
    std::unique_ptr<connector::SourceReader> reader;
    std::unique_ptr<batch::Batch> batch;
    MutBatch view{};
    std::vector<uint8_t> bad;  // when times are computed
    uint32_t row = 0;          // next row of the batch
    uint64_t position = 0;     // records given to kernels
    bool ended = false;
    bool waits = false;
  };

  Progress advance();
  bool fill(Feed& feed, size_t index);
  void present(Feed& feed, size_t index);
  bool pick(size_t& chosen, uint32_t& row_end);
  bool run_rows(size_t index, uint32_t row_end);
  bool run_kernel(size_t index, MutCursor& cursor);
  bool sabotage(size_t index, MutCursor& cursor);
  void fire_due();
  // The same, a piece at a time: timers that set timers may take long.
  enum class Fired : uint8_t { All, Some };
  Fired fire_piece();
  void fire_store(size_t index);
  void run_results(size_t index, const state::ResultRows& rows);
  void update_due(size_t running);
  void finish_input();
  enum class Rest : uint8_t { OfSources, OfResults };  // where a count window has its events from
  void finish_counts(Rest rest);
  void end_stores();  // those that get no event any more
  bool take_output();
  static bool is_over(const Feed& feed);  // all its rows have been run
  uint64_t cut_of(const Feed& feed) const;
  bool cut_reached() const;
  void exchange();
  // The next version is not taken.
  void refuse(PreparedSwap swap, std::string why);
  // Gives the source what it reads from now on. Whether an earlier version had begun it.
  bool replace_input(Feed& feed, PreparedSwap::Replaced& other);
  void count_parked();
  bool fail(Error error);

  env::Env& env_;
  RetireList& retired_;
  RetireList::Worker& worker_;
  ShardOptions options_;
  uint64_t seed_;
  state::Budget budget_;
  ErrorLog errors_;
  std::unique_ptr<Instance> instance_;
  uint64_t version_ = 0;
  std::vector<Feed> feeds_;  // by source of the plan
  Outlets outlets_;
  std::optional<PreparedSwap> scheduled_;
  std::optional<SwapResult> last_swap_;
  ShardStats stats_;
  Error error_;
  bool finished_ = false;
  bool stopped_ = false;
  bool firing_ = false;  // the kernel was left where something was due, and not all of it has fired
  uint64_t cause_position_ = 0;
  batch::Arena result_texts_;         // of results, until the rows made of them are taken
  std::map<std::string, Feed> left_;  // what sources of older versions have read, by what it is called
  Parked kept_;                       // stores of older versions
};

}  // namespace mut::runtime
