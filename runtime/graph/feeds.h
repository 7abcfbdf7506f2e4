// The sources of the running graph: what each has given so far, and whose rows come next.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/input_mark.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"
#include "runtime/graph/shard.h"

namespace mut::runtime {

// How far a source has been read.
struct FeedState {
  std::string name;
  uint64_t records = 0;
  enum class Reads : uint8_t { Nothing, Waiting, Rows, Ended } reads = Reads::Nothing;
  size_t waiting_bytes = 0;  // read and not decoded
  uint64_t dropped = 0;      // records that came faster than they were run
};

struct SourceCount {
  std::string source;
  uint64_t records = 0;
};

using NamedReaders = std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>>;

// What an edit makes of the sources.
struct SourceChanges {
  NamedReaders added;
  // Those that read something else: what that is called now and was so far, and what reads it unless an
  // earlier version has left it somewhere.
  struct Replaced {
    std::string source;
    std::string was;
    std::string now;
    std::unique_ptr<connector::SourceReader> reader;
    // Kept: an edit back goes on where it was left. FollowedUp: it is live, so it gives what it has, then
    // goes.
    enum class Former : uint8_t { Kept, FollowedUp } former = Former::Kept;
  };
  std::vector<Replaced> replaced;
  std::vector<std::string> redeclared;  // whose record type changed
};

// All that run the rows; the plan of the first says how they are read.
using Readers = std::vector<Shard*>;

struct Feed {
  std::string name;
  std::unique_ptr<connector::SourceReader> reader;  // null: nothing is read
  std::unique_ptr<batch::Batch> batch;
  MutBatch view{};           // of the batch, as kernels see it
  std::vector<uint8_t> bad;  // when times are computed, or rows are too far ahead
  uint32_t row = 0;          // next row of the batch
  uint32_t batch_rows = 0;   // how many are read at once; 0: as usual
  uint64_t position = 0;     // records given to kernels
  bool ended = false;
  bool waits = false;
  // Time of the newest record that was run: what an edit of the lateness counts from.
  std::optional<int64_t> newest{};
  // Of one that replays: where its batch begins, at which position, and how many records of those to come
  // have been run already.
  connector::SourcePlace begin{};
  uint64_t begun_at = 0;
  uint64_t skip = 0;
  bool replays = false;  // `begin` says where
  // Records by the count of its reader: number of its first one, and how many of them a checkpoint has that
  // is being written.
  uint64_t reader_from = 0;
  uint64_t saved = 0;
  // Where the next record to be run lies.
  connector::SourcePlace place() const {
    connector::SourcePlace out = begin;
    out.skip += position - begun_at;
    return out;
  }
  std::optional<int64_t> silent_since;  // by the steady clock; of one that may be idle, while it waits

  std::optional<Error> failed{};  // it cannot go on where an earlier run has left it

  bool has_rows() const { return batch && row < batch->row_count(); }
  bool is_over() const { return ended && !has_rows(); }  // all its rows have been run
  // The rows before `end` have been run.
  void advance(uint32_t end);
  // The same by one kernel, which has seen the times of all of them.
  struct Rise {
    int64_t before = 0;  // its watermark
    int64_t after = 0;
    int64_t lateness = 0;  // nanoseconds
  };
  void advance(uint32_t end, const Rise& rise);
};

// Rows of one source that come before those of the others.
struct Turn {
  size_t source = 0;
  uint32_t row_end = 0;
};

// Threads: one.
class Feeds {
 public:
  // `now_ns`: what time it is, nanoseconds since the epoch, where that is not the machine's clock; else null.
  Feeds(env::Env& env, uint32_t batch_rows, std::function<int64_t()> now_ns)
      : env_(env), batch_rows_(batch_rows), given_now_(std::move(now_ns)) {}

  // Of the first version. Readers are matched by name; a source without one has ended.
  void start(const Plan& plan, NamedReaders readers);
  Feed& operator[](size_t source) { return feeds_[source]; }
  size_t size() const { return feeds_.size(); }
  std::vector<SourceCount> positions() const;
  std::vector<FeedState> states() const;
  std::vector<char> over() const;  // by source
  bool all_over() const;
  bool all_ended() const;  // rows may still wait
  int64_t retry_after_ns() const;
  uint64_t batches() const { return batches_; }
  // How often a source that replays has gone over to another file.
  uint64_t inputs_begun() const { return inputs_begun_; }
  int64_t now_ns() const { return given_now_ ? given_now_() : env_.wall_ns(); }

  // No source gives more than these records until forget_cut(); those that are not named as many as come.
  void stop_at(std::vector<SourceCount> cut) { cut_ = std::move(cut); }
  void forget_cut() { cut_.reset(); }
  bool cut_reached() const;
  uint64_t cut_of(const Feed& feed) const;  // the greatest number there is: none

  // What another run needs to go on; places of those that replay, in an order of their own. `first`: of a
  // shard.
  void save(const Instance& first, state::Saver& to, std::vector<checkpoint::InputPlace>& places) const;
  // From here on acknowledge_saved() will be called.
  void take_until_durable() { until_durable_ = true; }
  // What is saved now is in a checkpoint; behind it: that checkpoint is durable.
  void note_saved();
  void acknowledge_saved();
  // Records that were run before this run began are still to come, and are left out.
  bool leaves_out() const;
  // Whether somebody outside waits until what came is durable.
  bool is_waited_for() const;
  // Whether a source wants acknowledge_saved() without checkpoints, too.
  bool wait_for_sinks() const;
  // Behind start(): sources go to where they were. Fails, with the source, where the input is not the same.
  Status load(state::Loader& from, const std::vector<checkpoint::InputMark>& marks);

  enum class Stop : uint8_t {
    RunWhatCame,      // what is decoded is still given; what has nothing now ends
    LeaveWhatReplays  // the same, but what another run can read again is left to it
  };
  void stop(Stop how);
  // Makes sure that each source has a row, or that it is known to have none. A source that was idle is idle
  // no more when it has one.
  enum class Filled : uint8_t { Fine, SomeEnded, Failed };
  Filled fill(const Readers& readers);
  const Error& error() const { return error_; }  // after Failed
  // The source whose next record has the smallest event time, ties by declaration, and how many rows of it
  // come before the next record of another source. Nothing: no row is to be had now.
  std::optional<Turn> next(const Plan& plan) const;
  // Sources that have been silent for as long as they may hold no watermark back from here on, and where
  // nothing else does, the clock is the watermark. Whether there is one.
  bool note_idle(const Readers& readers) const;

  // Between two rows: somebody else reads these columns of the rows too, by source; empty: nobody does any
  // more.
  void read_also(const Readers& readers, std::vector<batch::NeededColumns> columns);
  // Between two rows, when the shards run the next version: sources go by name, and the rows that they have
  // handed over already are run by it.
  Status hand_over(const Readers& readers, const std::vector<std::pair<std::string, std::string>>& renamed,
                   SourceChanges& changes);

 private:
  bool fill(Feed& feed, size_t index, const Readers& readers);
  // One batch of it, if there is one now.
  bool poll(Feed& feed, size_t index, const Readers& readers);
  void tell_who_acknowledges(connector::SourceReader& reader) const;
  // It replays from here on, if it does.
  static void note_place(Feed& feed);
  // Its reader stands where the record behind so many lies.
  void stand(Feed& feed, uint64_t position);
  uint32_t rows_to_read(const Feed& feed) const;
  bool waits_for_cut(const Feed& feed) const { return cut_ && feed.position >= cut_of(feed); }
  uint32_t end_by_cut(const Feed& feed, uint32_t row_end) const;
  void present(Feed& feed, size_t index, Instance& first);
  void complete(Feed& feed, size_t index, const batch::NeededColumns& wanted, Instance& first);
  batch::NeededColumns needed(size_t index, const SourcePlan& source) const;
  // Rows that are further ahead of their arrival than the source allows become bad ones.
  static void mark_future(Feed& feed, int64_t ahead_ns);
  // Gives the source what it reads from now on. Whether an earlier version had begun it.
  bool replace_input(Feed& feed, SourceChanges::Replaced& other);
  // What was left in an earlier run, if it was.
  Status go_on_as_left(const std::string& what, Feed& feed);
  Status redeclare(Feed& feed, size_t index, Instance& first);
  int64_t steady_ns() const { return given_now_ ? given_now_() : env_.monotonic_ns(); }

  env::Env& env_;
  uint32_t batch_rows_;
  std::function<int64_t()> given_now_;
  std::vector<Feed> feeds_;           // by source of the plan
  std::map<std::string, Feed> left_;  // what sources of older versions have read, by what it is called
  struct LeftPlace {
    connector::SourcePlace place;
    checkpoint::InputMark mark;
    std::optional<int64_t> newest;
  };
  std::map<std::string, LeftPlace> left_places_;  // the same of earlier runs
  std::optional<std::vector<SourceCount>> cut_;
  std::vector<batch::NeededColumns> also_;  // by source; empty: nothing
  uint64_t batches_ = 0;
  uint64_t inputs_begun_ = 0;
  std::optional<Stop> stopped_;
  bool until_durable_ = false;
  Error error_;
};

}  // namespace mut::runtime
