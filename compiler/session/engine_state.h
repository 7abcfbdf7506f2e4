// Behind the public Engine: one program's versions, what runs them, its compiler.
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "compiler/change/compare.h"
#include "compiler/session/canary/run.h"
#include "compiler/session/checkpoint/run.h"
#include "compiler/session/confirmation.h"
#include "compiler/session/connect.h"
#include "compiler/session/history/guards.h"
#include "compiler/session/history/history.h"
#include "compiler/session/librarian.h"
#include "compiler/session/life_signs.h"
#include "compiler/session/optimiser.h"
#include "compiler/session/perf/perf_file.h"
#include "compiler/session/profile/run.h"
#include "compiler/session/program.h"
#include "compiler/session/shadow/run.h"
#include "compiler/session/taps.h"
#include "compiler/session/turn.h"
#include "mutstream/engine.h"
#include "runtime/connector/columns/columns.h"
#include "runtime/connector/memory/memory.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/pieces/pieces.h"
#include "runtime/env/real_env.h"
#include "runtime/graph/runner.h"

namespace mut {

struct Engine::State {
  EngineOptions options;
  std::unique_ptr<env::Env> env;
  std::unique_ptr<env::EventCount> wake;
  uint64_t rung_before_run = 0;  // of `wake`: what rings while a turn runs is not slept through
  std::unique_ptr<jit::Jit> jit;
  std::unique_ptr<session::Optimiser> optimiser;
  runtime::RetireList retired;                               // code of older versions
  std::shared_ptr<connector::DecodeThreads> decode_threads;  // null: none
  std::unique_ptr<runtime::Runner> runner;
  std::unique_ptr<session::Librarian> librarian;
  std::string name;
  std::string warnings;
  Failure failure;
  bool ran_out = false;      // Runner::run() has said Done
  bool came_to_end = false;  // all sources have ended, or it was stopped, and nothing had failed
  bool started = false;
  std::atomic<bool> stop_asked{false};
  std::shared_ptr<connector::Notices> messages = std::make_shared<connector::Notices>();
  bool running_optimised = false;
  std::atomic<jit::Notes> notes{jit::Notes::None};  // of code of versions that run alone
  uint64_t batches_disturbed = 0;
  // Null: there is no directory of state. Of the running thread, as what follows.
  std::shared_ptr<state::Spill> spill;  // null: state has its memory alone
  std::unique_ptr<session::CheckpointRun> checkpoints;
  std::optional<session::Confirmation> confirmation;  // where there are no checkpoints
  std::string given_text;                             // what load() was given
  struct EditAtStart {
    std::string text;
    std::string name;
  };
  std::optional<EditAtStart> edit_at_start;
  std::optional<uint64_t> restored_seed;

  session::Bindings bindings;
  mutable std::mutex host_mutex;  // guards what the host bound
  struct HostSource {
    std::shared_ptr<connector::RowQueue> rows;
    std::shared_ptr<connector::PieceQueue> text;
    std::optional<connector::ReplayedColumns> columns;
    std::optional<std::string_view> borrowed_text;
  };
  std::map<std::string, HostSource> host_sources;
  // Of sources that generate their rows: an edit takes another one without a new reader.
  std::map<std::string, std::shared_ptr<std::atomic<double>>> rates;
  struct HostSink {
    std::function<void(const RowView&)> rows{};
    std::function<void(const RowBatch&)> batches{};
    std::function<void(std::string_view)> lines{};
    std::function<void(ArrowArray&, ArrowSchema&)> arrow{};
  };
  std::map<std::string, HostSink> host_sinks;
  // `bound` has one function.
  Outcome<Done> bind_sink(const std::string& to, HostSink bound);
  // Time of arrival while the clock is virtual. Read by sources on the running thread.
  std::atomic<int64_t> virtual_now{1'767'225'600'000'000'000};  // 2026-01-01T00:00:00Z
  int64_t now() const {
    return options.clock == EngineOptions::Clock::Virtual ? virtual_now.load() : env->wall_ns();
  }
  // For what is to happen after a while, whatever becomes of the clock of the machine.
  int64_t steady() const {
    return options.clock == EngineOptions::Clock::Virtual ? virtual_now.load() : env->monotonic_ns();
  }

  std::mutex opening_mutex;  // of who opens sinks; before sinks_mutex
  std::mutex sinks_mutex;    // guards known_sinks
  std::vector<session::KnownSink> known_sinks;

  std::atomic<uint64_t> kernels_compiled{0};
  std::atomic<uint64_t> kernels_reused{0};
  std::atomic<int64_t> compile_ns{0};
  uint64_t cells_converted = 0;
  uint64_t emptied = 0;  // stores of older versions whose memory the librarian has been told of
  uint64_t entries_converted = 0;
  uint64_t real_swaps = 0;
  session::LifeSigns life;
  DurationHistogram batch_times;  // these four: changed by the running thread within its turn
  DurationHistogram edit_checks;
  DurationHistogram edit_compiles;
  DurationHistogram edit_pauses;
  // Held while rows run; who asks for figures has it between two batches.
  mutable session::Turn turn;
  // That runs, or the last one; or null. Changed between two batches only.
  std::shared_ptr<session::ProfileRun> profile_run;
  uint64_t profiles_made = 0;               // the same
  std::unique_ptr<session::PerfFile> perf;  // or null
  // What perf was told of last; and all of that for a map, where an address has one name for ever.
  std::weak_ptr<void> named_code;
  std::vector<std::shared_ptr<void>> named_for_ever;
  bool closed_already = false;  // the same
  session::History history;
  // A store that an edit dropped cells of; the shards have it unless it was empty.
  struct ParkedState {
    runtime::ParkId id;
    std::shared_ptr<session::Program> program;  // that had it
    std::vector<int> cells;                     // those that were dropped
    uint64_t entries = 0;
  };
  // A version that is ready and waits for its cut.
  struct Prepared {
    // Same: what the user sees stays, taps and the like apart; it goes by the number of its base. Shadow: no
    // version at all, what is behind it follows its base. Canary, CanaryEnd: the same, of one that begins or
    // ends; one that is completed is an edit.
    enum class Origin : uint8_t { Edit, Param, Same, Shadow, Canary, CanaryEnd } origin = Origin::Edit;
    SwapReport report;
    std::shared_ptr<session::Program> program;
    runtime::PreparedSwap swap;
    runtime::Kernels kernels;
    bool optimised = false;
    std::shared_ptr<session::Program> base;  // what it was compared with: runs right before it
    std::vector<ParkedState> parks{};
    std::vector<runtime::ParkId> returns{};
    std::function<void(const SwapReport&)> settled{};
    std::vector<session::EditGuard> guards{};
    bool waits_for_record = false;                   // of a shadow: its cut is not the next boundary
    std::shared_ptr<session::ShadowRun> promotes{};  // whose candidate it is; or null
    bool closes_canary = false;
    // What comes behind it is compared with what came before it.
    bool is_beside() const {
      return origin == Origin::Shadow || origin == Origin::Canary || origin == Origin::CanaryEnd;
    }
  };
  // The version that runs, while its guard looks at it. Of the running thread.
  struct Probation {
    struct Watch {
      session::EditGuard guard;
      uint64_t errors = 0;  // before the cut of the version
    };
    std::vector<Watch> watches;
    uint64_t version = 0;
    uint64_t records = 0;  // before its cut
    std::string why;       // it is to be taken back; empty: nothing has been found
  };
  std::optional<Probation> probation;
  // Guards what threads that offer edits share with the one that runs: everything below to the blank line.
  mutable std::mutex mutex;
  std::shared_ptr<session::Program> program;  // that runs
  uint64_t program_version = 1;
  uint64_t exchanges = 0;  // that program came by: two programs may have one version
  std::vector<std::shared_ptr<session::LiveTap>> taps;  // that have not ended
  uint64_t taps_made = 0;
  uint64_t versions = 1;            // numbers given, failed ones included
  uint64_t newest_edit = 0;         // that is applicable and has no cut of its own
  std::optional<Prepared> waiting;  // scheduled, not taken yet
  std::deque<Prepared> prepared;    // the next ones, each compared with the one before
  std::deque<SwapReport> done;
  std::vector<ParkedState> parked;                 // that the shard has, in order of versions
  std::shared_ptr<session::ShadowRun> shadow_run;  // that runs or waits, or the last one; or null
  std::shared_ptr<session::CanaryRun> canary_run;  // the same of canaries
  runtime::Kernels running_kernels;
  std::shared_ptr<const graph::Graph> running_graph;
  std::vector<uint64_t> store_entries;

  // Rendered diagnostics of a check.
  std::string render(const diag::Engine& diags, const source::SourceSet& sources) const;
  // Kernels for a program, quick or as the options say; counts what it took.
  Outcome<runtime::Kernels> compile(const session::Program& made, jit::Reuse reuse, int64_t* spent_ns,
                                    bool* compiled, jit::Notes notes);
  // Whether the file that a source reads has what its edited record wants; other inputs cannot be asked
  // twice.
  Status fits_input(const session::Program& made, const std::string& source_name);
  Outcome<std::unique_ptr<connector::SourceReader>> open_source(const session::Program& made, size_t index);
  // `before` (may be null): what runs until then.
  Outcome<Done> check_files(const session::Program& made, const session::Program* before);
  Outcome<runtime::OutletBinding> open_sink(const session::Program& made, size_t index, std::string& notices);
  // A copy, for threads that push.
  std::optional<HostSource> host_source(const std::string& source_name) const;
  // `queue` is that of the source; rows in the layout of its record.
  Outcome<Done> push_rows(const std::string& source, connector::RowQueue& queue, const char* rows,
                          size_t row_count);
  // `notes`: of code that is compiled for it; what runs already is taken as it is.
  Outcome<runtime::Kernels> kernels_for(const session::Program& made, SwapReport& report, bool* optimised,
                                        jit::Notes notes);
  Outcome<std::vector<std::shared_ptr<const runtime::KeyConversion>>> compile_conversions(
      const change::SwapPlan& plan);
  Outcome<Done> open_added(const session::Program& before, const session::Program& made,
                           const change::SwapPlan& plan, runtime::PreparedSwap& swap, std::string& notices);
  // What runs right before a version that would be put behind the first `kept` of `prepared`.
  struct Base {
    std::shared_ptr<session::Program> program;
    uint64_t version = 0;
    std::vector<ParkedState> parked;  // what can come back then
  };
  Base base_after(size_t kept) const;
  // How many of `prepared` stay when an edit comes: those before the edits that it takes the place of.
  size_t kept_by_edit(const std::vector<SourceCut>& at) const;
  Outcome<change::SwapPlan> plan_edit(const SwapRequest& request, const Base& base,
                                      const session::Program& made, session::StepKind kind,
                                      SwapReport& report);
  // Fills `report` also where it fails.
  Outcome<Prepared> prepare_edit(const SwapRequest& request, const Base& base,
                                 const std::shared_ptr<session::Program>& made, session::StepKind kind,
                                 SwapReport& report);
  // `made` with the taps of `base`. Null where what it imports does not check any more.
  std::shared_ptr<session::Program> with_taps_of(const session::Program& base,
                                                 const std::shared_ptr<session::Program>& made) const;
  Outcome<Prepared> prepare_shadow(const Base& base, session::ShadowRun& run);
  Outcome<Prepared> prepare_adoption(const PromoteRequest& request, const Base& base,
                                     const session::ShadowRun& run, SwapReport& report);
  // What compares without asking for consents.
  static change::SwapPlan same_plan(const session::Program& before, const session::Program& after);
  void settle_shadow(const runtime::SwapResult& result);
  void count_shadow();
  void note_shadow_end(const std::string& why);
  // What comes at once takes the place of a shadow that waits for its record: nothing is held up by one. Not
  // from within a batch.
  void let_waiting_shadow_go();
  // The same on the running thread or between two batches; `mutex` is held.
  void drop_waiting_shadow();
  static bool waits_for_record(const Prepared& version);
  // Why nothing may come at that cut; `mutex` is held.
  std::optional<Failure> held_by_canary(const std::vector<SourceCut>& at) const;
  // Why no other canary may be begun, at whatever cut; `mutex` is held.
  std::optional<Failure> held_by_open_canary() const;
  std::string other_sinks(const session::Program& before, const session::Program& made) const;
  Outcome<Prepared> prepare_canary(const Base& base, session::CanaryRun& run, SwapReport& report);
  void settle_canary(const runtime::SwapResult& result);
  void close_canary(const runtime::SwapResult& result, CanaryReport::Life life);
  void settle_canary_end(const runtime::SwapResult& result);
  void count_canary();
  // The run is over before it was completed or ended.
  void end_open_canary(const std::string& why);
  Outcome<SwapReport> let_waiting_canary_go();
  // The same on the running thread or between two batches; `mutex` is held. What was to begin and to close
  // it, for tell_dropped() without the mutex; empty: there is none that waits, or an edit follows its close.
  std::vector<Prepared> drop_waiting_canary();
  static void tell_dropped(std::vector<Prepared> dropped);
  Outcome<SwapReport> offer_close(const CanaryClose& close, runtime::PreparedSwap::Closes which);
  // Schedules a program that does what `base` does for the user; false when another came in between.
  Outcome<bool> offer_same(const Base& base, const std::shared_ptr<session::Program>& edited);
  // The newest program with other taps. `change` is called again where another version came in between.
  Outcome<Done> change_taps(const std::function<void(std::vector<session::TapStream>&)>& change);
  // Ends those that `program`, which runs now, has not.
  void end_lost_taps();
  void end_taps(const std::string& reason);
  // Another value of some params, everything else as in `base`.
  Outcome<Prepared> prepare_params(const std::vector<SourceCut>& at, const Base& base,
                                   const std::shared_ptr<session::Program>& made, SwapReport& report);
  // Edits that wait and whose place another one takes; `mutex` is held. Who offered them is told without it.
  std::vector<Prepared> supersede(size_t kept, uint64_t by);
  // `promotes`: the shadow whose candidate it is, or null.
  Outcome<SwapReport> offer_edit(const SwapRequest& request, const std::shared_ptr<session::Program>& edited,
                                 SwapReport report, VersionRecord record,
                                 const std::shared_ptr<session::ShadowRun>& promotes = nullptr);
  Outcome<SwapReport> step_to(const UndoRequest& request, session::StepKind kind, const std::string& cause);
  // While a version waits for a record, an undo lets go of the newest one that has not been taken. Nothing:
  // none waits.
  std::optional<Failure> take_back_untaken(const UndoRequest& request);
  // What came of an edit that is not to be taken, into the history. Returns `failure`.
  Failure record_failure(VersionRecord record, const SwapReport& report, Failure failure);
  // Before the cut; a failure: it cannot be recorded, so it is not taken.
  std::optional<Failure> record_waiting(const VersionRecord& record, const SwapReport& report);
  // What is known of a version at the begin, and once it waits for its cut.
  VersionRecord begin_record(uint64_t version, const std::string& script_name, std::string_view text);
  static void fill_waiting(const Prepared& ready, VersionRecord& record);
  // Why records cannot be counted as a cut wants.
  static std::optional<Failure> wrong_cut(const std::vector<SourceCut>& cuts, const session::Program& base);
  // What can come back in a version behind the first `kept` of `prepared`; whether all of these can still.
  std::vector<ParkedState> parked_before(size_t kept) const;
  bool can_return(const std::vector<runtime::ParkId>& ids, size_t kept) const;
  // On the running thread, after a version was taken, and when the memory is short; `mutex` is held.
  void settle_parked(const Prepared& taken, uint64_t version);
  void let_parked_go(size_t index);
  bool is_awaited(const runtime::ParkId& id) const;
  void free_parked();
  void take_prepared();
  void take_optimised();
  // Code that is exchanged everywhere.
  void retire(const runtime::Kernels& code);
  // Better code for what runs, or code with other notes.
  void ask_optimiser();
  // That code of the newest version runs from now on: for a profile and for perf. Between two batches.
  void code_runs(const runtime::Kernels& kernels);
  jit::Notes usual_notes() const {
    return options.perf == EngineOptions::Perf::No ? jit::Notes::None : jit::Notes::Places;
  }
  // These between two batches; `mutex` is held by others than the running thread.
  std::vector<session::RowCount> count_rows() const;
  void let_profile_end();
  session::Optimiser::Start optimiser_start() const {
    return running_optimised ? session::Optimiser::Start::Optimised : session::Optimiser::Start::Quick;
  }
  void settle_swap();
  // The version that waited is not taken, nor are those behind it.
  void settle_refused(const std::string& why);
  // On the running thread, after each batch: whether the version that runs under a guard is to be taken back.
  void judge_probation();
  void begin_probation(std::vector<session::EditGuard> guards, uint64_t version);
  // Why it is, or an empty text. Watches that have seen enough are gone.
  std::string judge_watches();
  uint64_t errors_of(const session::EditGuard& guard) const;
  bool disturb();
  // A start from a checkpoint, in this order; each before anything was written.
  Outcome<Done> open_checkpoints();
  Outcome<Done> resume_sinks();
  Outcome<Done> restore();
  // By source, and by emit; before any of them begins. Fails where a sink asks for more.
  Outcome<Done> tell_guarantees(const std::vector<connector::SourceReader::AfterCrash>& sources,
                                const std::vector<runtime::OutletBinding>& outlets);
  // Fails where a sink asks for what a run without checkpoints does not keep.
  Outcome<Done> check_demands(const session::Program& made) const;
  // False: a sink failed, as `failure` says.
  // The script that a run is started with, where it is another than the checkpoint's.
  Outcome<Done> make_edit_at_start(Engine& engine);
  bool take_checkpoint();
  // Tells sources and sinks of one that is durable now.
  void hear_of_checkpoint();
  Status wait_for_sinks();
  bool delivers_by_number();
  // For good: those that an edit has closed, too.
  Status close_sinks();
  // A record of the source `metrics` of that name; nothing: all other sources have ended.
  std::optional<std::string> metrics_row(const std::string& source);
  // What the last one of each counted; of the thread of the rows.
  struct MetricsBefore {
    int64_t at_ns = 0;
    uint64_t records = 0;
    uint64_t rows = 0;
  };
  std::map<std::string, MetricsBefore> metrics_before;
  void resume_delivery(const connector::SinkPlace& place);
  // What sources and sinks get. Behind the making of the runner.
  session::Surroundings surroundings() const;
  // The first of a run that goes on from none, durable before its first row: what is appended to has a length
  // to go back to.
  Outcome<Done> begin_checkpoints();
  bool care_for_checkpoints();
  // Without checkpoints: sources are told what has left the sinks. False on failure.
  bool confirm();
  bool end_input();
  std::shared_ptr<session::Program> running_program() const;
  static const typed::Source* find_source(const session::Program& program, const std::string& source_name);
  bool closed() const { return options.world == EngineOptions::World::Closed; }
  // Called when a source is bound: one that generates its rows does not any more.
  void stop_generating(const std::string& source);
  // A version of the script as this engine runs it.
  std::shared_ptr<session::Program> make_version(std::string_view text, std::string script_name,
                                                 const std::shared_ptr<source::SourceSet>& sources,
                                                 diag::Engine& diags,
                                                 const std::vector<session::TapStream>& of_taps = {}) const;

  // Takes a version back. The last member: it ends before all that it works with.
  std::unique_ptr<env::Thread> taking_back;
};

}  // namespace mut
