// Shadows of a running engine: begun like an edit, between two rows, and never a version until promoted.
#include <algorithm>
#include <utility>

#include "compiler/change/borders.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"
#include "compiler/session/report.h"
#include "compiler/session/shards.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

std::string version_name(uint64_t version) { return "v" + std::to_string(version); }

}  // namespace

// A shadow that is to begin at a record. What is scheduled has its cut in the runner.
bool Engine::State::waits_for_record(const Prepared& version) {
  return version.origin == Prepared::Origin::Shadow && version.waits_for_record;
}

// Everything that can fail, as for an edit; but nothing that state loses is asked for, since it is a copy.
Outcome<Engine::State::Prepared> Engine::State::prepare_shadow(const Base& base, session::ShadowRun& run) {
  SwapRequest edit;
  edit.at = run.request.at;
  edit.accept = run.request.accept;
  SwapReport report;
  report.version = base.version;
  Base without = base;  // what edits dropped is not copied
  without.parked.clear();
  auto plan = plan_edit(edit, without, *run.program, session::StepKind::Shadow, report);
  // One that does what the live version does is a shadow too: nothing differs.
  bool same = !plan && plan.failure().kind == Failure::Kind::NoChange;
  if (!plan && !same) return plan.failure();
  if (same) plan = same_plan(*base.program, *run.program);
  if (std::string other = change::reads_otherwise(*base.program->typed, *run.program->typed); !other.empty())
    return Failure{Failure::Kind::Refused,
                   report.plan + "a shadow reads the events that are there: " + other + "\n"};
  for (size_t i = 0; i < base.program->plan->sources.size(); ++i) {
    if (run.program->plan->sources[i].live && !base.program->plan->sources[i].live)
      return Failure{Failure::Kind::Refused, report.plan +
                                                 "a shadow reads the events that are there: source `" +
                                                 base.program->plan->sources[i].name + "` is not read yet\n"};
  }
  auto made = session::with_params_of(*base.program, run.program, plan.value().migration.params);
  bool optimised = false;
  auto kernels = kernels_for(*made, report, &optimised, usual_notes());
  if (!kernels) return kernels.failure();
  auto conversions = compile_conversions(plan.value());
  if (!conversions) return conversions.failure();
  run.program = made;
  run.report.plan = report.plan;
  std::map<std::string, std::string> renamed(plan.value().migration.renamed_sinks.begin(),
                                             plan.value().migration.renamed_sinks.end());
  run.comparison = std::make_shared<session::Comparison>(std::move(renamed));
  Prepared out;
  out.origin = Prepared::Origin::Shadow;
  out.swap.version = base.version;
  out.swap.migration = plan.value().migration;
  out.swap.migration.conversions = std::move(conversions).value();
  out.swap.migration.parks.clear();
  for (const SourceCut& cut : run.request.at) out.swap.at.push_back({cut.source, cut.records});
  out.waits_for_record = !run.request.at.empty();
  out.swap.begins = runner->make_shadow(run.comparison);
  out.swap.next = out.swap.begins->fleet().make_instances(made->plan, kernels.value());
  out.report = std::move(report);
  out.program = made;
  out.kernels = std::move(kernels).value();
  out.base = base.program;
  return out;
}

change::SwapPlan Engine::State::same_plan(const session::Program& before, const session::Program& after) {
  change::CompareOptions compare;
  compare.policy = change::Policy::Live;
  change::SwapPlan out = change::compare(*before.graph, *after.graph, compare);
  session::name_kept_keys(out);
  return out;
}

Outcome<ShadowReport> Engine::shadow(const ShadowRequest& request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  auto run = std::make_shared<session::ShadowRun>();
  run->request = request;
  run->report.name = request.name.empty() ? s.name : request.name;
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto edited = s.make_version(request.text, run->report.name, sources, diags);
  std::string rendered = s.render(diags, *sources);
  if (!edited) return Failure{Failure::Kind::Script, std::move(rendered), session::error_codes(diags)};
  run->report.warnings = std::move(rendered);
  while (true) {
    State::Base base;
    {
      std::lock_guard lock(s.mutex);
      if (auto held = s.held_by_canary({})) return *held;
      base = s.base_after(s.prepared.size());
    }
    run->program = edited;
    auto ready = s.prepare_shadow(base, *run);
    if (!ready) return ready.failure();
    std::lock_guard lock(s.mutex);
    if (auto held = s.held_by_canary({})) return std::move(*held);
    if (s.base_after(s.prepared.size()).program != base.program) continue;
    // Of several that wait the newest is wanted.
    std::erase_if(s.prepared, [](const State::Prepared& other) {
      return other.origin == State::Prepared::Origin::Shadow;
    });
    s.prepared.push_back(std::move(ready).value());
    s.shadow_run = run;
    s.wake->notify();
    return run->report;
  }
}

// On the running thread, when a shadow has begun or could not.
void Engine::State::settle_shadow(const runtime::SwapResult& result) {
  std::lock_guard lock(mutex);
  retire(std::exchange(waiting->kernels, {}));
  auto began = waiting->program;
  waiting.reset();
  librarian->notify();
  if (!shadow_run || shadow_run->program != began) return;
  ShadowReport& report = shadow_run->report;
  if (!result.refused.empty()) {
    report.life = ShadowReport::Life::Ended;
    report.ended = session::refusal_text(diag::Code::MigrateFails, result.refused);
    return;
  }
  report.life = ShadowReport::Life::Runs;
  for (const runtime::SourceCount& cut : result.cut) report.from.push_back({cut.source, cut.records});
  report.entries = result.entries_converted;
  report.pause_ns = result.pause_ns;
  shadow_run->records_before = runner->stats().records_in;
  shadow_run->live_errors_before = runner->errors().total();
}

// `mutex` is held, and it is the running thread or between two batches.
void Engine::State::count_shadow() {
  ShadowReport& report = shadow_run->report;
  if (report.life != ShadowReport::Life::Runs) return;
  report.records = runner->stats().records_in - shadow_run->records_before;
  report.live_errors = runner->errors().total() - shadow_run->live_errors_before;
  report.sinks = shadow_run->comparison->sinks();
  report.unexpected.clear();
  if (shadow_run->request.expect) {
    report.unexpected = session::unexpected(*shadow_run->request.expect, report.sinks);
  }
  const runtime::Runner::Cost cost = runner->shadow_cost();
  report.live_ns = cost.live_ns;
  report.candidate_ns = cost.candidate_ns;
  report.candidate_errors = cost.errors;
  report.state_bytes = cost.state_bytes;
}

void Engine::State::note_shadow_end(const std::string& why) {
  if (!shadow_run || shadow_run->report.life != ShadowReport::Life::Runs) return;
  count_shadow();
  shadow_run->report.life = ShadowReport::Life::Ended;
  shadow_run->report.ended = why;
}

void Engine::State::drop_waiting_shadow() {
  bool gone = std::erase_if(prepared, [](const Prepared& version) { return waits_for_record(version); }) > 0;
  if (waiting && waits_for_record(*waiting) && runner->waits_for_cut()) {
    runner->unschedule();
    waiting.reset();
    gone = true;
  }
  if (!gone || !shadow_run || shadow_run->report.life != ShadowReport::Life::Waits) return;
  shadow_run->report.life = ShadowReport::Life::Ended;
  shadow_run->report.ended = "what was to come at once came before its record";
}

void Engine::State::let_waiting_shadow_go() {
  {
    // Nobody is asked to wait for a batch where nothing is to be let go of.
    std::lock_guard lock(mutex);
    bool any = (waiting && waits_for_record(*waiting)) ||
               std::any_of(prepared.begin(), prepared.end(), waits_for_record);
    if (!any) return;
  }
  turn.ask([&] {
    std::lock_guard lock(mutex);
    drop_waiting_shadow();
  });
}

Outcome<ShadowReport> Engine::shadow_report() const {
  State& s = *state_;
  Outcome<ShadowReport> out = Failure{Failure::Kind::Usage, "there is no shadow"};
  if (!s.started) return out;
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (!s.shadow_run) return;
    s.count_shadow();
    out = s.shadow_run->report;
  });
  return out;
}

Outcome<ShadowReport> Engine::end_shadow() {
  State& s = *state_;
  Outcome<ShadowReport> out = Failure{Failure::Kind::Usage, "there is no shadow"};
  if (!s.started) return out;
  s.turn.ask([&] {
    std::lock_guard lock(s.mutex);
    if (!s.shadow_run || s.shadow_run->report.life == ShadowReport::Life::Ended) return;
    if (s.waiting && s.waiting->origin == State::Prepared::Origin::Shadow) {
      s.runner->unschedule();
      s.waiting.reset();
    }
    std::erase_if(s.prepared, [](const State::Prepared& other) {
      return other.origin == State::Prepared::Origin::Shadow;
    });
    s.note_shadow_end("it was ended");
    s.shadow_run->report.life = ShadowReport::Life::Ended;
    s.shadow_run->report.ended = "it was ended";
    s.runner->end_shadow();
    out = s.shadow_run->report;
  });
  s.librarian->notify();
  return out;
}

// The state is that of the shadow: stores move as they are.
Outcome<Engine::State::Prepared> Engine::State::prepare_adoption(const PromoteRequest& request,
                                                                 const Base& base,
                                                                 const session::ShadowRun& run,
                                                                 SwapReport& report) {
  SwapRequest edit;
  edit.at = request.at;
  edit.accept = request.accept;
  auto made = with_taps_of(*base.program, run.program);
  if (!made) return Failure{Failure::Kind::Io, "what the script imports has changed"};
  Base without = base;
  without.parked.clear();
  auto ready = prepare_edit(edit, without, made, session::StepKind::Edit, report);
  if (!ready) return ready.failure();
  change::SwapPlan plan = same_plan(*run.program, *ready.value().program);
  runtime::Migration& migration = ready.value().swap.migration;
  plan.migration.renamed_sinks = std::move(migration.renamed_sinks);
  plan.migration.parks.clear();
  migration = std::move(plan.migration);
  ready.value().swap.adopts = run.comparison;
  ready.value().parks.clear();
  ready.value().returns.clear();
  ready.value().report.plan += "its state is that of the shadow\n";
  ready.value().settled = request.settled;
  return ready;
}

Outcome<SwapReport> Engine::promote(const PromoteRequest& request) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  auto known = shadow_report();
  if (!known) return known.failure();
  if (known.value().life == ShadowReport::Life::Ended)
    return Failure{Failure::Kind::Usage, "the shadow has ended: " + known.value().ended};
  std::shared_ptr<session::ShadowRun> run;
  SwapReport report;
  VersionRecord record;
  std::vector<Consent> accept;
  {
    std::lock_guard lock(s.mutex);
    run = s.shadow_run;
    accept = run->request.accept;
    accept.insert(accept.end(), request.accept.begin(), request.accept.end());
    report.version = ++s.versions;
    record = s.begin_record(report.version, run->report.name, run->request.text);
    record.parent = s.base_after(s.kept_by_edit(request.at)).version;
    record.accepted = accept;
    record.shadow = shadow_text(known.value());
  }
  report.warnings = known.value().warnings;
  if (request.state == PromoteRequest::State::Migrate) {
    SwapRequest edit;
    edit.text = run->request.text;
    edit.name = run->report.name;
    edit.at = request.at;
    edit.accept = std::move(accept);
    edit.settled = request.settled;
    return s.offer_edit(edit, run->program, std::move(report), std::move(record), run);
  }
  PromoteRequest whole = request;
  whole.accept = std::move(accept);
  while (true) {
    State::Base base;
    bool alone = false;
    bool taps = false;
    {
      std::lock_guard lock(s.mutex);
      base = s.base_after(s.prepared.size());
      alone = base.program == s.program;
      taps = base.version == s.program_version;
    }
    if (!alone && taps) {
      return s.record_failure(
          std::move(record), report,
          {Failure::Kind::Usage, "a tap that comes or goes is not taken yet: adopt again in a moment"});
    }
    if (!alone) {
      return s.record_failure(
          std::move(record), report,
          {Failure::Kind::Usage, version_name(base.version) +
                                     " comes before, and ends the shadow whose state this "
                                     "would have"});
    }
    SwapReport own = report;
    auto ready = s.prepare_adoption(whole, base, *run, own);
    if (!ready) return s.record_failure(std::move(record), own, ready.failure());
    s.fill_waiting(ready.value(), record);
    ready.value().promotes = run;
    if (auto untaken = s.record_waiting(record, own)) return *untaken;
    std::lock_guard lock(s.mutex);
    if (s.base_after(s.prepared.size()).program != base.program) continue;
    s.history.keep(own.version, base.version, session::StepKind::Edit, ready.value().program);
    s.prepared.push_back(std::move(ready).value());
    s.wake->notify();
    return own;
  }
}

}  // namespace mut
