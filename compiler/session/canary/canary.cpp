// Canaries of a running engine: begun, completed and ended between two rows. Everything that can fail but for
// want of memory happens before.
#include <algorithm>
#include <utility>

#include "compiler/change/borders.h"
#include "compiler/graph/division.h"
#include "compiler/session/checkpoint/guarantees.h"
#include "compiler/session/conversions.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"
#include "compiler/session/report.h"
#include "compiler/session/shards.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

Failure usage(std::string text) { return {Failure::Kind::Usage, std::move(text)}; }

std::string version_name(uint64_t version) { return "v" + std::to_string(version); }

std::vector<SourceCut> cuts_of(const runtime::SwapResult& result) {
  std::vector<SourceCut> out;
  for (const runtime::SourceCount& cut : result.cut) out.push_back({cut.source, cut.records});
  return out;
}

bool has_header(const std::string& target) {
  return target.starts_with(std::to_string(static_cast<int>(codec::Format::Csv)) + ":") ||
         target.starts_with(std::to_string(static_cast<int>(codec::Format::Tsv)) + ":");
}

bool same_columns(const abi::TypeDesc& a, const abi::TypeDesc& b) {
  return std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const abi::FieldDesc& x, const abi::FieldDesc& y) { return x.name == y.name; });
}

// What begins empty when keys go back.
std::string lost_at_end(const change::SwapPlan& back) {
  std::string out;
  for (const change::CellPlan& cell : back.cells) {
    bool empty = cell.verdict == change::Verdict::New || cell.verdict == change::Verdict::Reset ||
                 (cell.verdict == change::Verdict::Choice && cell.decision != "carry");
    if (empty) out += "if it is ended, `" + cell.path + "` of its keys begins empty\n";
  }
  return out;
}

}  // namespace

std::optional<Failure> Engine::State::held_by_canary(const std::vector<SourceCut>& at) const {
  if (!canary_run || !canary_run->is_open() || (canary_run->closing && !at.empty())) return std::nullopt;
  return usage("canary " + version_name(canary_run->report.version) + " runs, of " + canary_run->report.part +
               ": complete it or end it first");
}

std::optional<Failure> Engine::State::held_by_open_canary() const {
  if (!canary_run || !canary_run->is_open()) return std::nullopt;
  const std::string of =
      "canary " + version_name(canary_run->report.version) + ", of " + canary_run->report.part + ", ";
  if (canary_run->closing)
    return usage("another canary can begin when " + of +
                 "has come to the record where it is completed or ended");
  return usage("another canary is there: " + of + "runs or waits: complete it or end it first");
}

// Why the sinks of that script are not those that are there; empty: they are.
std::string Engine::State::other_sinks(const session::Program& before, const session::Program& made) const {
  for (size_t i = 0; i < made.typed->emits.size(); ++i) {
    const typed::Emit& emit = made.typed->emits[i];
    const auto& emits = before.typed->emits;
    auto known = std::find_if(emits.begin(), emits.end(),
                              [&](const typed::Emit& other) { return other.name == emit.name; });
    const std::string of = "a canary writes to the sinks that are there: sink `" + emit.name + "` ";
    if (known == emits.end()) return of + "is new\n";
    bool of_host = closed() || emit.name.starts_with("tap:");
    {
      std::lock_guard lock(host_mutex);
      of_host = of_host || host_sinks.contains(emit.name);
    }
    if (of_host) continue;
    const std::string target = session::sink_target(emit, bindings);
    if (target != session::sink_target(*known, bindings)) return of + "goes elsewhere\n";
    auto index = static_cast<size_t>(known - emits.begin());
    if (has_header(target) && !same_columns(*before.plan->emits[index].record, *made.plan->emits[i].record))
      return of + "has other columns, and its file one header\n";
  }
  return "";
}

Outcome<Engine::State::Prepared> Engine::State::prepare_canary(const Base& base, session::CanaryRun& run,
                                                               SwapReport& report) {
  SwapRequest edit;
  edit.at = run.request.at;
  edit.accept = run.request.accept;
  Base without = base;  // what edits dropped is not divided
  without.parked.clear();
  auto made = with_taps_of(*base.program, run.program);
  if (!made) return Failure{Failure::Kind::Io, "what the script imports has changed"};
  auto plan = plan_edit(edit, without, *made, session::StepKind::Edit, report);
  bool same = !plan && plan.failure().kind == Failure::Kind::NoChange;
  if (!plan && !same) return plan.failure();
  if (same) plan = same_plan(*base.program, *made);
  std::string why;
  if (!base.program->taps.empty()) why += "a canary has no rows for taps: untap first\n";
  if (options.shards > 1) why += "a canary runs on one shard\n";
  if (std::string other = change::reads_otherwise(*base.program->typed, *made->typed); !other.empty()) {
    return Failure{Failure::Kind::Refused,
                   report.plan + "a canary reads the events that are there: " + other + "\n"};
  }
  for (size_t i = 0; i < base.program->plan->sources.size(); ++i) {
    if (made->plan->sources[i].live && !base.program->plan->sources[i].live)
      why += "a canary reads the events that are there: source `" + base.program->plan->sources[i].name +
             "` is not read yet\n";
  }
  if (!plan.value().migration.renamed_sinks.empty())
    why += "a canary writes to the sinks that are there: one is renamed\n";
  why += other_sinks(*base.program, *made);
  const graph::Division old = graph::divide_by(*base.program->graph, run.request.part.field);
  const graph::Division next = graph::divide_by(*made->graph, run.request.part.field);
  for (const std::string& problem : old.problems) why += "what runs cannot be divided: " + problem + "\n";
  for (const std::string& problem : next.problems) {
    if (std::find(old.problems.begin(), old.problems.end(), problem) == old.problems.end())
      why += "the new version cannot be divided: " + problem + "\n";
  }
  change::CompareOptions compare;
  compare.policy = change::Policy::Live;
  compare.direction = change::FormerNames::Direction::Back;
  compare.migrate = session::migrate_checker(*made, *base.program);
  // What is carried over is carried back.
  for (const change::CellPlan& cell : plan.value().cells) {
    if (cell.decision == "carry") compare.consents.push_back({cell.decision, cell.old_path});
  }
  change::SwapPlan back = change::compare(*made->graph, *base.program->graph, compare);
  session::name_kept_keys(back);
  if (why.empty()) {
    why = session::divide_migration(plan.value().migration, *base.program, *made, old.keys, next.keys);
    if (back.outcome == change::SwapPlan::Outcome::Refused) {
      why += "it could not be ended: state cannot go back\n";
    } else if (why.empty()) {
      std::string problem =
          session::divide_migration(back.migration, *made, *base.program, next.keys, old.keys);
      if (!problem.empty()) why += "it could not be ended: " + problem;
    }
  }
  if (!why.empty()) {
    // The comparison knows no canaries: what it says last is not true here.
    if (size_t end = report.plan.rfind("applicable"); end != std::string::npos) report.plan.resize(end);
    return Failure{Failure::Kind::Refused, report.plan + why};
  }
  report.plan += "a canary of " + run.request.part.text() + "\n" + lost_at_end(back);
  made = session::with_params_of(*base.program, made, plan.value().migration.params);
  auto kernels = kernels_for(*made, report, &run.optimised, usual_notes());
  if (!kernels) return kernels.failure();
  run.program = made;
  run.base = base.program;
  run.kernels = kernels.value();
  run.forth = std::move(plan.value().migration);
  run.back = std::move(back.migration);
  Prepared out;
  out.origin = Prepared::Origin::Canary;
  runtime::Division division{run.request.part.share, old.fields, old.keys, next.keys};
  out.swap.version = report.version;
  out.swap.migration = run.forth;
  for (const SourceCut& cut : run.request.at) out.swap.at.push_back({cut.source, cut.records});
  out.swap.canary = runner->make_canary(std::move(division), report.version);
  out.swap.next = out.swap.canary->fleet().make_instances(made->plan, kernels.value());
  out.program = made;
  out.base = base.program;
  out.report = report;
  return out;
}

Outcome<CanaryReport> Engine::canary(const CanaryRequest& request) {
  State& s = *state_;
  if (!s.started) return usage("the engine was not started");
  if (s.checkpoints) {
    std::string waits = session::waits_for_checkpoints(*s.running_program());
    if (!waits.empty())
      return usage("while a canary runs no checkpoint is taken, and " + waits + " waits for one");
  }
  if (request.at.empty()) s.let_waiting_shadow_go();
  auto run = std::make_shared<session::CanaryRun>();
  run->request = request;
  run->report.name = request.name.empty() ? s.name : request.name;
  run->report.part = request.part.text();
  SwapReport report;
  VersionRecord record;
  {
    std::lock_guard lock(s.mutex);
    if (auto held = s.held_by_open_canary()) return *held;
    report.version = ++s.versions;
    record = s.begin_record(report.version, run->report.name, request.text);
  }
  run->report.version = report.version;
  record.accepted = request.accept;
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto edited = s.make_version(request.text, run->report.name, sources, diags);
  std::string rendered = s.render(diags, *sources);
  if (!edited) {
    return s.record_failure(std::move(record), report,
                            {Failure::Kind::Script, std::move(rendered), session::error_codes(diags)});
  }
  run->report.warnings = std::move(rendered);
  while (true) {
    State::Base base;
    {
      std::lock_guard lock(s.mutex);
      base = s.base_after(s.prepared.size());
    }
    record.parent = base.version;
    run->program = edited;
    SwapReport own = report;
    auto ready = s.prepare_canary(base, *run, own);
    if (!ready) return s.record_failure(std::move(record), own, ready.failure());
    s.fill_waiting(ready.value(), record);
    if (auto untaken = s.record_waiting(record, own)) return *untaken;
    std::unique_lock lock(s.mutex);
    std::optional<Failure> held = s.held_by_open_canary();
    if (!held && s.shadow_run && s.shadow_run->report.life != ShadowReport::Life::Ended)
      held = usage("a shadow runs or waits: end it first");
    if (held) {
      lock.unlock();
      return s.record_failure(std::move(record), own, std::move(*held));
    }
    if (s.base_after(s.prepared.size()).program != base.program) continue;
    run->report.plan = own.plan;
    s.prepared.push_back(std::move(ready).value());
    s.canary_run = run;
    s.wake->notify();
    return run->report;
  }
}

// On the running thread, when a canary has begun.
void Engine::State::settle_canary(const runtime::SwapResult& result) {
  std::lock_guard lock(mutex);
  std::shared_ptr<session::CanaryRun> run = canary_run;
  waiting.reset();
  librarian->notify();
  CanaryReport& report = run->report;
  report.life = CanaryReport::Life::Runs;
  report.from = cuts_of(result);
  report.entries = result.entries_converted;
  report.pause_ns = result.pause_ns;
  run->records_before = runner->stats().records_in;
  run->errors_before = runner->errors().total();
  history.run_beside(report.version);
  note_shadow_end("a canary runs");
}

// The same when it has come to its close. `mutex` is held.
void Engine::State::close_canary(const runtime::SwapResult& result, CanaryReport::Life closed_as) {
  count_canary();
  CanaryReport& report = canary_run->report;
  report.life = closed_as;
  report.to = cuts_of(result);
  report.close_pause_ns = result.pause_ns;
  retire(std::exchange(canary_run->kernels, {}));
  if (closed_as != CanaryReport::Life::Ended) return;
  report.ended = "its keys went back";
  history.settle(report.version, VersionRecord::Outcome::RolledBack,
                 "a canary of " + report.part + " was ended");
}

void Engine::State::settle_canary_end(const runtime::SwapResult& result) {
  SwapReport report;
  std::function<void(const SwapReport&)> settled;
  {
    std::lock_guard lock(mutex);
    close_canary(result, CanaryReport::Life::Ended);
    report = std::move(waiting->report);
    settled = std::move(waiting->settled);
    report.cut = cuts_of(result);
    report.pause_ns = result.pause_ns;
    report.entries_converted = result.entries_converted;
    waiting.reset();
  }
  entries_converted += result.entries_converted;
  librarian->notify();
  if (settled) settled(report);
}

// The running thread or between two batches; `mutex` is held.
void Engine::State::count_canary() {
  CanaryReport& report = canary_run->report;
  if (report.life != CanaryReport::Life::Runs) return;
  const runtime::Runner::CanaryFigures figures = runner->canary_figures();
  report.records = runner->stats().records_in - canary_run->records_before;
  report.records_inside = figures.records;
  report.rows = figures.rows;
  report.live_rows = figures.live_rows;
  report.errors = figures.errors;
  report.live_errors = runner->errors().total() - canary_run->errors_before - figures.errors;
  report.state_bytes = figures.state_bytes;
}

void Engine::State::end_open_canary(const std::string& why) {
  std::lock_guard lock(mutex);
  if (!canary_run || !canary_run->is_open()) return;
  count_canary();
  canary_run->report.life = CanaryReport::Life::Ended;
  canary_run->report.ended = why;
  history.settle(canary_run->report.version, VersionRecord::Outcome::Aborted,
                 "a canary of " + canary_run->report.part + ": " + why);
}

Outcome<CanaryReport> Engine::canary_report() const {
  State& s = *state_;
  Outcome<CanaryReport> out = usage("there is no canary");
  if (!s.started) return out;
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (!s.canary_run) return;
    s.count_canary();
    out = s.canary_run->report;
  });
  return out;
}

// A canary that may still be completed or ended, and a step that does.
Outcome<SwapReport> Engine::State::offer_close(const CanaryClose& close,
                                               runtime::PreparedSwap::Closes which) {
  const bool completes = which == runtime::PreparedSwap::Closes::Completes;
  std::lock_guard lock(mutex);
  if (!canary_run || !canary_run->is_open()) return usage("there is no canary");
  if (canary_run->closing) return usage("the canary is completed or ended already");
  session::CanaryRun& run = *canary_run;
  if (auto wrong = wrong_cut(close.at, *run.base)) return *wrong;
  Prepared out;
  out.origin = completes ? Prepared::Origin::Edit : Prepared::Origin::CanaryEnd;
  out.closes_canary = true;
  out.report.version = run.report.version;
  out.report.plan = run.report.plan;
  out.swap.version = run.report.version;
  out.swap.closes = which;
  out.swap.migration = completes ? run.forth : run.back;
  for (const SourceCut& cut : close.at) out.swap.at.push_back({cut.source, cut.records});
  out.program = completes ? run.program : run.base;
  out.base = run.base;
  out.settled = close.settled;
  if (completes) {
    out.swap.next = runner->make_instances(run.program->plan, run.kernels);
    out.kernels = run.kernels;
    out.optimised = run.optimised;
    // Its errors until now are those of some keys: its guards look at what comes after the close.
    out.guards = session::guards_of(*run.program, {}, options.clock);
    history.keep(run.report.version, base_after(prepared.size()).version, session::StepKind::Edit,
                 run.program);
  }
  run.closing = true;
  SwapReport report = out.report;
  prepared.push_back(std::move(out));
  wake->notify();
  return report;
}

Outcome<SwapReport> Engine::complete_canary(const CanaryClose& close) {
  if (!state_->started) return usage("the engine was not started");
  return state_->offer_close(close, runtime::PreparedSwap::Closes::Completes);
}

std::vector<Engine::State::Prepared> Engine::State::drop_waiting_canary() {
  std::vector<Prepared> out;
  if (!canary_run || canary_run->report.life != CanaryReport::Life::Waits) return out;
  auto is_its = [](const Prepared& version) {
    return version.origin == Prepared::Origin::Canary || version.closes_canary;
  };
  // What follows its close was compared with what that makes.
  if (!prepared.empty() && !is_its(prepared.back())) return out;
  if (waiting && is_its(*waiting)) {
    runner->unschedule();
    out.push_back(std::move(*waiting));
    waiting.reset();
  }
  while (!prepared.empty() && is_its(prepared.back())) {
    out.push_back(std::move(prepared.back()));
    prepared.pop_back();
  }
  CanaryReport& report = canary_run->report;
  report.life = CanaryReport::Life::Ended;
  report.ended = "it had not begun";
  retire(std::exchange(canary_run->kernels, {}));
  history.settle(report.version, VersionRecord::Outcome::Aborted,
                 "a canary of " + report.part + " was ended before it began");
  librarian->notify();
  return out;
}

void Engine::State::tell_dropped(std::vector<Prepared> dropped) {
  for (Prepared& version : dropped) {
    version.report.refused = "the canary was ended before it began";
    if (version.settled) version.settled(version.report);
  }
}

// One that waits for its record is let go of at once.
Outcome<SwapReport> Engine::State::let_waiting_canary_go() {
  Outcome<SwapReport> out = usage("the canary runs");
  std::vector<Prepared> dropped;
  turn.ask([&] {
    std::lock_guard lock(mutex);
    dropped = drop_waiting_canary();
    if (dropped.empty()) return;
    SwapReport told;
    told.version = canary_run->report.version;
    out = told;
  });
  tell_dropped(std::move(dropped));
  return out;
}

Outcome<SwapReport> Engine::end_canary(const CanaryClose& close) {
  if (!state_->started) return usage("the engine was not started");
  if (close.at.empty()) {
    auto gone = state_->let_waiting_canary_go();
    if (gone && close.settled) close.settled(gone.value());
    if (gone) return gone;
  }
  return state_->offer_close(close, runtime::PreparedSwap::Closes::Ends);
}

}  // namespace mut
