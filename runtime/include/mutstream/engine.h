// Running Mut programs from C++; examples/embed is a whole host. No exception crosses this border, and none
// may come out of a function that the host binds. Two engines never meet.
//
//   auto engine = mut::Engine::load(text, "limits.mut", {});
//   engine.value()->bind("payments", "payments.jsonl");
//   engine.value()->start();
//   engine.value()->run_to_end();
//
// Threads: one thread at a time calls an engine. From any other, beside it: push_row(), push_text(),
// push_arrow() and finish(), and after start() swap(), plan(), undo(), redo(), set_param(), history(), tap(),
// untap(), shadow(), shadow_report(), end_shadow(), promote(), canary(), canary_report(), complete_canary(),
// end_canary(), begin_profile(), profile(), end_profile(), script(), inspect(), inspect_within(), health(),
// why(), state() and stop(). Functions that the host binds are called on the thread that runs, and call none
// of these.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mutstream/arrow.h"
#include "mutstream/canary.h"
#include "mutstream/inspect.h"
#include "mutstream/profile.h"
#include "mutstream/rows.h"
#include "mutstream/shadow.h"

namespace mut {

// What an edit does to one cell of state.
struct CellVerdict {
  std::string cell;     // "stream/stage/cell", as the new script names it; of a dropped one as the old did
  std::string before;   // what it continues; empty: nothing
  std::string verdict;  // same, new, keep, keep-mixed, convert, convert-checked, hand-over, restore-gap,
                        // drop, reset, choice, …
  std::string reason;
  std::vector<std::string> choices;  // verdicts that would be accepted, when it needs a decision
  std::string decision;              // what was accepted, or picked by the policy
  bool undecided = false;
};

// What went wrong in the world or in a script. For scripts `text` has the rendered diagnostics.
struct Failure {
  enum class Kind : uint8_t {
    Script,
    Usage,
    Io,
    Refused,
    NeedsDecision,
    NoChange,
    Superseded,  // a newer edit was ready first
    Internal,
  } kind = Kind::Io;
  std::string text;
  std::vector<std::string> codes{};  // "MUT5003": of the errors of a script, of the refusals of an edit
  std::vector<CellVerdict> cells{};  // of an edit that was planned and not taken
};

template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}
  Outcome(Failure failure) : value_(std::move(failure)) {}
  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(value_); }
  T&& value() && { return std::get<0>(std::move(value_)); }
  const Failure& failure() const { return std::get<1>(value_); }

 private:
  std::variant<T, Failure> value_;
};
struct Done {};

// What an edit may do that needs a consent.
struct Consent {
  std::string verdict;  // drop, reset, lossy, rebuild, carry, restore-gap
  std::string cell;     // "stream/stage/cell"; a path that ends in `/` means all below
};

enum class TierChoice : uint8_t { Auto, Quick, Optimised };
enum class SwapPolicy : uint8_t { Strict, Ask, Live };

struct EngineOptions {
  TierChoice tier = TierChoice::Auto;
  // Rows that are read and run together, if as many wait. 0: 4,096, and up to 32,768 where they are dealt out
  // to shards and take no longer than a millisecond.
  uint32_t batch_rows = 0;
  // Threads among which events are spread by their keys, 1 to 64; see docs/shards.md. The order of rows is
  // that of one shard for each key, not among keys.
  static constexpr uint32_t shards_max = 64;
  uint32_t shards = 1;
  // Threads that decode text of files and of standard input beside the one that runs rows, started when text
  // comes in plenty. Rows of a source, and those of sources with event times, come in the same order with any
  // number; sources without are merged as their text arrives.
  static constexpr uint32_t decode_threads_max = 64;
  uint32_t decode_threads = 0;
  size_t memory_bytes = size_t{256} * 1024 * 1024;  // of state; past it inserts fail as event errors
  // A directory on a disk where state goes on that memory has no room for; empty: none. What of it is looked
  // at is in memory, up to `memory_bytes` with all that is; the file has no name and goes with the process.
  std::string spill_dir{};
  size_t spill_bytes = size_t{64} << 30;  // of that file at most
  SwapPolicy policy = SwapPolicy::Ask;
  // Rows carry `$source`, `$position` and `$version`.
  enum class Stamp : uint8_t { No, Yes } stamp = Stamp::No;
  // A full exchange at every batch boundary although nothing changed: a test of the exchange itself.
  enum class Disturb : uint8_t { No, Swap } disturb = Disturb::No;
  enum class Color : uint8_t { No, Yes } color = Color::No;
  enum class Diagnostics : uint8_t { Text, Json } diagnostics = Diagnostics::Text;
  // Closed: nothing outside is opened. Every source gives what the host pushes, whatever its connector, of
  // `generate` too; rows of a sink that the host did not bind go nowhere.
  enum class World : uint8_t { Open, Closed } world = World::Open;
  // Virtual: events arrive when advance() said last, at first 2026-01-01T00:00:00Z.
  enum class Clock : uint8_t { Machine, Virtual } clock = Clock::Machine;
  // Streams that the host reads although no `emit` need name them: each that exists, in this version and in
  // those that follow, has a sink `tap:STREAM`.
  std::vector<std::string> taps{};
  // Stay: at the end of its input an engine waits for edits, also where nothing is emitted or read yet; the
  // input counts as ended when stop() says so.
  enum class AtEnd : uint8_t { Finish, Stay } at_end = AtEnd::Finish;
  // A file of JSON lines that records every version, each line chained to the one before; empty: none. A run
  // that finds one goes on with its numbers. An edit that cannot be written there is not taken.
  std::string history_path{};
  // A folder in which compiled code is kept for later processes, made if it is absent, for its user alone;
  // empty: none. It is looked at when the engine starts and by the optimiser, not by an edit. Nothing is kept
  // where others may write, which warnings() tells, nor in a program that was linked without a build id.
  std::string kernel_cache{};
  // What `perf` is told of compiled code: which stage of which version lies where. Map:
  // `/tmp/perf-PID.map`. Jitdump: `jit-PID.dump` in `perf_folder`. Both stay: perf reads them later. One
  // engine of a process at a time.
  enum class Perf : uint8_t { No, Map, Jitdump } perf = Perf::No;
  std::string perf_folder{};  // empty: the one that the process runs in
  // A directory of checkpoints, made if it is absent; empty: none. A start that finds one there goes on from
  // it: state, places of sources, outputs and the version that ran are those of the checkpoint. Where load()
  // was given another script than that run, it is an edit, taken before any event. One process has it at a
  // time. Which promise holds for each path from a source to a sink, messages() tells. docs/checkpoints.md
  std::string state_dir{};
  // At least that long from one to the next. 0: behind each batch, and the next waits until it is durable.
  int64_t checkpoint_every_ns = 10'000'000'000;
  std::vector<Consent> state_accept{};  // of that edit
};

enum class RunState : uint8_t { More, Idle, Done, Failed };

struct SourceCut {
  std::string source;
  uint64_t records = 0;  // exactly that many belong to older versions, undecodable ones included
};

struct SwapReport;

// An edit that makes too many events fail is taken back: as by undo(), but what it dropped comes back, and
// what it brought goes, without further consent. `guard` in a script says the same of each edit that brings
// it.
struct Guard {
  double error_share = 0.01;  // of the records since the cut; reached with 100 records or more
  uint64_t records = 10'000;  // behind the cut; then the edit stays
};

struct SwapRequest {
  std::string text;
  std::string name;
  std::vector<SourceCut> at;  // empty: at the next boundary
  std::vector<Consent> accept;
  // Called once when the edit was taken or superseded, with the whole report: on the thread that runs, or on
  // the one whose edit came in its place. Not when swap() fails.
  std::function<void(const SwapReport&)> settled{};
  std::optional<Guard> guard{};
};

struct SwapReport {
  uint64_t version = 0;
  std::string plan;  // as `mutc plan` prints it
  std::vector<CellVerdict> cells;
  std::string warnings;  // of the new version, rendered; what opening its sinks said
  std::vector<SourceCut> cut;
  int64_t check_ns = 0;    // parse, check, compare
  int64_t compile_ns = 0;  // 0 when kernels of the same shape were there
  int64_t pause_ns = 0;    // charged: processor time of the exchange
  uint64_t entries_converted = 0;
  bool compiled = false;
  uint64_t superseded_by = 0;  // the version that took its place before it was taken; 0: it was taken
  std::string cause{};         // why a guard had it made; empty: someone asked for it
  std::string shadow{};        // of a promotion: what its shadow had found at the cut, for people
  std::string refused{};       // why it was not taken at its cut: an entry could not go over; empty: it was
};

// What an edit would do.
struct PlanReport {
  enum class Judged : uint8_t { Applicable, NoChange, NeedsDecision, Refused } judged = Judged::Applicable;
  std::string plan;  // as `mutc plan` prints it
  std::vector<CellVerdict> cells;
  std::vector<std::string> codes;  // of refusals
  std::string warnings;            // of the script, rendered
};

// The script that runs.
struct Script {
  std::string text;
  std::string name;
  uint64_t version = 1;
};

// What is known of one version: of every edit and change of a param that was offered, failed ones included.
struct VersionRecord {
  uint64_t version = 0;
  uint64_t parent = 0;      // that it was compared with; 0: none
  uint64_t restores = 0;    // of an undo or redo: the version whose script runs again; 0: it is no such
  std::string hash;         // SHA-256, hex: of number, parent's hash, name, script and params
  std::string parent_hash;  // empty without a parent
  int64_t time_ns = 0;      // since 1970, UTC: when it was offered
  std::string name;
  std::string text;
  std::vector<std::pair<std::string, std::string>> params;  // name, value as a script writes it
  std::string plan;
  std::vector<CellVerdict> cells;
  std::vector<Consent> accepted;
  std::vector<SourceCut> cut;  // empty until it was taken
  int64_t check_ns = 0;
  int64_t compile_ns = 0;
  int64_t pause_ns = 0;
  uint64_t entries_converted = 0;
  enum class Outcome : uint8_t {
    Waiting,  // for its cut
    Running,
    Retired,        // it ran
    Equivalent,     // says what the one before says: that one ran on
    Failed,         // does not compile, or something of the world failed: a sink, the file of the history
    Refused,        // state cannot go over
    NeedsDecision,  // and got none
    Superseded,     // a newer edit took its place
    Aborted,        // the run ended before its cut
    RolledBack,
  } outcome = Outcome::Waiting;
  std::string reason;  // of every outcome but Waiting, Running and Retired
  // Of one that was promoted: what its shadow had found, at the cut once it was taken; for people. Empty: it
  // was not.
  std::string shadow;
};
// "needs-decision"
std::string_view outcome_name(VersionRecord::Outcome outcome);

struct UndoRequest {
  std::vector<Consent> accept{};
  std::vector<SourceCut> at{};  // empty: at the next boundary
  // As of a SwapRequest.
  std::function<void(const SwapReport&)> settled{};
};

struct EngineStats {
  uint64_t records_in = 0;
  uint64_t rows_out = 0;
  uint64_t event_errors = 0;
  uint64_t late = 0;
  uint64_t swaps = 0;
  uint64_t cells_converted = 0;
  uint64_t entries_converted = 0;
  uint64_t version = 1;
  uint64_t kernels_compiled = 0;
  uint64_t kernels_reused = 0;
  int64_t compile_ns = 0;
  size_t state_bytes = 0;
  size_t spilled_bytes = 0;  // of those: what lies in the file of `spill_dir`
  size_t parked_bytes = 0;   // of those: what edits dropped, kept for an undo
  size_t live_dylibs = 0;
  // The one that runs, and those that ran before whose code waits until no worker can be inside it; each
  // once, whatever code it had.
  size_t live_versions = 0;
  std::string tier;
  // Of the directory of state.
  struct Checkpoints {
    uint64_t taken = 0;
    uint64_t abandoned = 0;
    uint64_t number = 0;   // of the newest that is durable; 0: none
    int64_t pause_ns = 0;  // processor time of the thread of the rows, all together
    int64_t pause_most_ns = 0;
    int64_t write_ns = 0;        // of the last one
    uint64_t written_bytes = 0;  // all together
    uint64_t state_bytes = 0;    // of the last one
    size_t memory_bytes = 0;     // that they are put together in, beside the state
  } checkpoints;
  std::vector<SourceCut> positions;
  std::vector<std::pair<std::string, uint64_t>> errors_by_stream;
  std::vector<std::pair<std::string, uint64_t>> dropped_by_stage;
  std::vector<std::pair<std::string, uint64_t>> late_by_stage;
};

// Decoded rows in memory that stay valid while the engine lives: columns of 8-byte values (int, time,
// duration: i64; float: double), one per declared field, run `repeat` times. The event time of pass p
// is shifted by p * `time_step_ns`.
struct ColumnSource {
  std::vector<const void*> columns;
  std::vector<int64_t> times;  // event time per row, nanoseconds
  uint64_t row_count = 0;
  uint64_t repeat = 1;
  int64_t time_step_ns = 0;
};

// Whole records as text.
struct TextRows {
  std::string text;
  std::string format = "json";  // json, csv, tsv, lines; csv and tsv with a header in each text
  std::string name{};           // of the input, for `.errors`; empty: as the source
};

class Engine {
 public:
  // Checks and plans. `name` is what diagnostics call the script.
  static Outcome<std::unique_ptr<Engine>> load(std::string_view text, std::string name,
                                               const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Warnings of load(), rendered, and what start() said ("replaces out.jsonl").
  const std::string& warnings() const;

  // What sources and sinks have said since this was asked last: the port that one listens on, a connection
  // that was lost or came back. At most 100 wait. From any thread.
  std::vector<std::string> messages();

  // Where a source or sink really goes: a path, `-`, `csv:path`, `json:-`. `source:NAME` and
  // `sink:NAME` where a name means both. Before start().
  Outcome<Done> bind(const std::string& name, const std::string& target);
  // A host source: it gives what is pushed, by push_row() and push_arrow(), or by push_text().
  Outcome<Done> bind_host_source(const std::string& name);
  Outcome<Done> bind_columns(const std::string& name, ColumnSource columns);
  // Text in the format of the source, decoded where it lies. It stays valid while the engine lives, and 64
  // bytes behind it can be read.
  Outcome<Done> bind_text(const std::string& name, std::string_view text);
  Outcome<Done> bind_host_sink(const std::string& name, std::function<void(const RowView&)> receive);
  // The same, about one call a batch: the fastest way to many rows of numbers.
  Outcome<Done> bind_batch_sink(const std::string& name, std::function<void(const RowBatch&)> receive);
  // Rows as JSON, whole lines, about one call a batch.
  Outcome<Done> bind_text_sink(const std::string& name, std::function<void(std::string_view lines)> receive);
  // Rows as column batches, about one call a batch: a struct array of the fields, by the Arrow C data
  // interface. Who wants to keep them moves them out and sets `release` to null; else they are released.
  Outcome<Done> bind_arrow_sink(const std::string& name,
                                std::function<void(ArrowArray& rows, ArrowSchema& schema)> receive);

  // Fields in order of declaration; after start(). Time and duration are nanoseconds, an enum its name.
  Outcome<Done> push_row(const std::string& source, const std::vector<FieldValue>& fields);
  // Whole JSON lines. A source takes text when the first push, before start(), is text; in a closed world
  // always.
  Outcome<Done> push_text(const std::string& source, std::string_view lines);
  Outcome<Done> push_text(const std::string& source, TextRows rows);
  // A struct array with a column for each declared field, found by name (Arrow C data interface); after
  // start(). `array` is released before the call returns. On failure no row of it was pushed.
  Outcome<Done> push_arrow(const std::string& source, ArrowArray* array, const ArrowSchema* schema);
  // Nothing will be pushed any more.
  Outcome<Done> finish(const std::string& source);

  // Compiles and opens everything. On failure nothing runs; the call may be repeated, without a directory of
  // state.
  Outcome<Done> start();
  // About one batch.
  RunState run();
  // run() until the input has ended, asleep while there is nothing; what was written is flushed.
  Outcome<Done> run_to_end();
  // Raises the virtual clock and every watermark to `time_ns`, whatever the lateness; what is due fires.
  // Between two calls of run(), on their thread.
  Outcome<Done> advance(int64_t time_ns);
  // Why run() failed.
  const Failure& failure() const;
  // Sleeps until a source may have something, at most `limit_ns`. What came since run() was called last is
  // not slept through.
  void wait(int64_t limit_ns);

  // Plans, compiles and schedules an edit; blocks meanwhile, rows flow on. On failure nothing has changed.
  // The report is complete once swap_done() gives it. The latest wins: an edit without a cut takes the place
  // of earlier ones without a cut that are still being built, which then fail as Superseded, or that wait,
  // whose report says so. Edits with a cut are taken in the order in which they are given.
  Outcome<SwapReport> swap(const SwapRequest& request);
  // Reports of edits that were taken or superseded, one a call, in that order.
  std::optional<SwapReport> swap_done();
  // What swap() would do now. Nothing is compiled or scheduled, no number is used. Fails as swap() does where
  // the script does not compile.
  Outcome<PlanReport> plan(const SwapRequest& request);
  // An edit of the value of a param, as a script writes it. Never superseded.
  // `settled`: as of a SwapRequest.
  Outcome<Done> set_param(const std::string& name, const std::string& value, const std::vector<SourceCut>& at,
                          std::function<void(const SwapReport&)> settled = {});

  // An edit back to the version before the newest, as planned as any other. The next undo goes further back,
  // not to and fro: up to 16 steps. Where nothing is before, a Usage failure, and no number is used. While a
  // version waits for a record, an undo without a cut of its own lets go of the newest that was not taken,
  // and fails as NoChange. Not from a function that the engine calls. State that the edit dropped begins
  // empty; where it is kept still (for 16 versions, while the memory lasts) `restore-gap` gives it back.
  Outcome<SwapReport> undo(const UndoRequest& request = {});
  // Takes the last undo() back; after another edit there is nothing to redo.
  Outcome<SwapReport> redo(const UndoRequest& request = {});
  // In order of versions, the newest 1,000.
  std::vector<VersionRecord> history() const;
  // Live rows of a stream, from the next boundary on. Edits of the script go on, of that stream too; the tap
  // ends where a version has no such stream or its condition fits the rows no more. No edit of the user: the
  // number of the version stays. Costs a look at each row of the stream until untap().
  Outcome<std::shared_ptr<Tap>> tap(TapRequest request);
  // Ends it, if it has not ended; from the next boundary on it costs nothing.
  Outcome<Done> untap(const std::shared_ptr<Tap>& tap);

  // Runs a candidate beside the version that runs, from its cut on: on the same events, with a copy of the
  // state as the edit makes it, which counts in a budget of its own of the same size. Its rows are compared.
  // The report tells the plan; the sources must be those of the running version, read as they are. It ends
  // with the next version, or another shadow. Costs what a second program costs, and the encoding of the
  // rows.
  Outcome<ShadowReport> shadow(const ShadowRequest& request);
  // Of the one that runs, or ran last. Where there was none, a Usage failure.
  Outcome<ShadowReport> shadow_report() const;
  Outcome<ShadowReport> end_shadow();
  // An edit to the candidate.
  Outcome<SwapReport> promote(const PromoteRequest& request = {});

  // An edit for some of the keys: from its cut on they are of the new version, the others of the one that
  // runs; rows of both go to the sinks. The state is divided as the keys are: each stage that keeps some must
  // have the field among its keys. What cannot be divided, or not go back, is refused with the reason. Its
  // state counts in a budget of its own, as large as the live one. While it runs, other edits, changes of
  // params, undo, shadows and taps are Usage failures; behind a close with a cut they may come at a later
  // one. On one shard. The report tells number and plan.
  Outcome<CanaryReport> canary(const CanaryRequest& request);
  // Of the one that runs or waits, or the last one. Where there was none, a Usage failure.
  Outcome<CanaryReport> canary_report() const;
  // All keys are of the new version, which is the one that runs from then on.
  Outcome<SwapReport> complete_canary(const CanaryClose& close = {});
  // Its keys are of the version before again, with what was kept of them; swap_done() does not tell. One that
  // waits for its record is let go of, where the close has no cut.
  Outcome<SwapReport> end_canary(const CanaryClose& close = {});

  // Begins a profile and tells its number; one at a time. Before start() too: then it counts from the begin.
  // The code that runs is compiled again, with lines, and exchanged; the profile counts from then on, across
  // edits, until end_profile(), which has the code from before run again. The threads of this engine get
  // SIGPROF meanwhile: a Usage failure where the host handles that itself.
  Outcome<uint64_t> begin_profile();
  // Of the one that runs, or ran last, as of now. Where there was none, a Usage failure.
  Outcome<ProfileReport> profile() const;
  // `number`: that one alone; 0: whichever runs.
  Outcome<ProfileReport> end_profile(uint64_t number = 0);

  Script script() const;
  // All figures, as of one boundary.
  EngineFigures inspect() const;
  // The same, or nothing where the boundary does not come in time: a batch takes long, or whoever reads what
  // a sink writes does not.
  std::optional<EngineFigures> inspect_within(int64_t limit_ns) const;
  // Waits for nothing; also before start().
  Health health() const;
  // Why nothing comes out of a stream, or how far it is: sources, watermark, what held rows back. For people.
  Outcome<std::string> why(const std::string& stream) const;
  // The cells of the stateful stages of a stream for one key, as a JSON object; several keys in their order,
  // with commas between. What cannot be shown says so there.
  Outcome<std::string> state(const std::string& stream, const std::string& key) const;

  // What is decoded is still processed; then the input counts as ended.
  void stop();
  Outcome<Done> flush();
  Outcome<Done> close();
  EngineStats stats() const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  // Between two batches.
  void fill_figures(EngineFigures& out) const;
  std::unique_ptr<State> state_;
};

}  // namespace mut
