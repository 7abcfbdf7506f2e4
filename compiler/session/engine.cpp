// Life of an engine: load, run, close; its start is in start.cpp.
#include "mutstream/engine.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "compiler/session/engine_state.h"
#include "compiler/session/files.h"
#include "compiler/session/report.h"
#include "mutstream/tooling.h"
#include "runtime/abi/check.h"
#include "runtime/decimal/decimal.h"
#include "runtime/env/does.h"

namespace mut {
namespace {

Failure io(const mut::Error& error) { return {Failure::Kind::Io, error.message}; }

std::string version_text(uint64_t version) { return "v" + std::to_string(version); }

}  // namespace

std::string Engine::State::render(const diag::Engine& diags, const source::SourceSet& sources) const {
  if (options.diagnostics == EngineOptions::Diagnostics::Json) return diag::render_json(diags, sources);
  return diag::render_text(
      diags, sources, options.color == EngineOptions::Color::Yes ? diag::Color::Always : diag::Color::Never);
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Outcome<std::unique_ptr<Engine>> Engine::load(std::string_view text, std::string name,
                                              const EngineOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->name = name;
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  state->program = state->make_version(text, std::move(name), sources, diags);
  std::string rendered = state->render(diags, *sources);
  if (!state->program)
    return Failure{Failure::Kind::Script, std::move(rendered), session::error_codes(diags)};
  state->warnings = std::move(rendered);
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  state->env = std::move(machine).value();
  state->wake = state->env->make_event_count();
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

std::shared_ptr<session::Program> Engine::State::make_version(
    std::string_view text, std::string script_name, const std::shared_ptr<source::SourceSet>& sources,
    diag::Engine& diags, const std::vector<session::TapStream>& of_taps) const {
  sema::CheckOptions check;
  check.taps = options.taps;
  if (closed()) check.rows = sema::CheckOptions::Rows::Given;
  for (const auto& [bound, target] : bindings) {
    if (!bound.starts_with("sink:"))
      check.bound.push_back(bound.substr(bound.starts_with("source:") ? 7 : 0));
  }
  for (const auto& [bound, host] : host_sources) check.bound.push_back(bound);
  auto shards = options.shards > 1 ? graph::Graph::Shards::Several : graph::Graph::Shards::One;
  return session::make_program(text, std::move(script_name), sources, diags, check, of_taps, shards);
}

void Engine::State::stop_generating(const std::string& source) {
  const typed::Source* declared = find_source(*program, source);
  if (declared == nullptr || declared->generated.empty()) return;
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  program = make_version(program->text, name, sources, diags);
  MUT_CHECK(program != nullptr, "less of it is checked than when it was loaded");
}

const std::string& Engine::warnings() const { return state_->warnings; }

std::shared_ptr<session::Program> Engine::State::running_program() const {
  std::lock_guard lock(mutex);
  return program;
}

const typed::Source* Engine::State::find_source(const session::Program& program,
                                                const std::string& source_name) {
  for (const typed::Source& source : program.typed->sources) {
    if (source.name == source_name) return &source;
  }
  return nullptr;
}

void Engine::State::retire(const runtime::Kernels& code) { retired.retire(code.owner, code.version); }

void Engine::State::take_optimised() {
  if (!optimiser || waiting) return;
  auto ready = optimiser->take();
  if (!ready) return;
  if (ready->times.compiled) ++kernels_compiled;
  if (ready->version != exchanges) {
    retire(ready->kernels);
    librarian->notify();
    return;
  }
  ready->kernels.version = program_version;
  runner->exchange_kernels(ready->kernels);
  code_runs(ready->kernels);
  librarian->notify();
  // The next version may have other literals: it starts from code that takes any.
  if (ready->literals == codegen::Literals::Constant) return;
  std::lock_guard lock(mutex);
  retire(std::exchange(running_kernels, std::move(ready->kernels)));
  running_optimised = options.tier != TierChoice::Quick;
}

// `--disturb=swap`: the whole exchange although nothing changes. Kernels linked anew, every entry copied.
bool Engine::State::disturb() {
  auto made = jit->compile(*program->graph,
                           options.tier == TierChoice::Optimised ? jit::Tier::Optimised : jit::Tier::Quick,
                           codegen::Literals::Table, jit::Reuse::InProcess, nullptr, nullptr, notes);
  if (!made) {
    failure = {Failure::Kind::Internal, made.error().message};
    return false;
  }
  made.value().version = program_version;
  code_runs(made.value());
  runtime::PreparedSwap swap;
  swap.next = runner->make_instances(program->plan, made.value());
  for (size_t i = 0; i < program->plan->stores.size(); ++i) {
    runtime::StoreMigration store;
    store.transfer = runtime::StoreTransfer::Convert;
    store.old_store = static_cast<int>(i);
    for (size_t cell = 0; cell < program->plan->stores[i].desc.cells.size(); ++cell)
      store.cells.push_back(static_cast<int>(cell));
    swap.migration.stores.push_back(std::move(store));
  }
  for (size_t i = 0; i < program->plan->params.size(); ++i)
    swap.migration.params.push_back(static_cast<int>(i));
  swap.version = runner->version();
  swap.beside = runtime::PreparedSwap::Beside::Stays;
  swap.rest = runtime::PreparedSwap::Rest::Takes;
  runner->schedule(std::move(swap));
  return true;
}

RunState Engine::run() {
  State& s = *state_;
  if (!s.started) {
    s.failure = {Failure::Kind::Usage, "the engine was not started"};
    return RunState::Failed;
  }
  s.rung_before_run = s.wake->current();
  session::Busy busy(s.life, *s.env);
  auto turn = s.turn.run();
  env::Does runs(Work::Engine);
  if (s.profile_run) s.profile_run->enrol();
  if (s.stop_asked.exchange(false)) s.runner->stop();
  s.take_prepared();
  s.take_optimised();
  // An exchange is a turn of its own; the next turn runs a batch.
  uint64_t batches = s.runner->feeds().batches();
  bool disturbs = s.options.disturb == EngineOptions::Disturb::Swap && !s.waiting &&
                  s.batches_disturbed != batches && s.runner->canary() == nullptr;
  s.batches_disturbed = batches;
  if (disturbs && !s.disturb()) return RunState::Failed;
  bool rests = s.confirmation && !s.waiting && s.confirmation->wants_rest(*s.runner);
  runtime::Progress progress = rests ? runtime::Progress::Idle : s.runner->run();
  s.settle_swap();
  if (s.checkpoints && progress != runtime::Progress::Failed && !s.care_for_checkpoints())
    return RunState::Failed;
  if (s.confirmation && progress != runtime::Progress::Failed && !s.confirm()) return RunState::Failed;
  if (std::exchange(s.emptied, s.runner->emptied()) != s.runner->emptied()) s.librarian->notify();
  s.judge_probation();
  switch (progress) {
    case runtime::Progress::More:
      s.batch_times.add(busy.took_ns());
      return RunState::More;
    case runtime::Progress::Idle:
      return RunState::Idle;
    case runtime::Progress::Ending:
      return s.end_input() ? RunState::More : RunState::Failed;
    case runtime::Progress::Done:
      s.ran_out = true;
      s.life.phase.store(Health::Phase::Draining);
      s.end_taps("the input has ended");
      s.end_open_canary("the input has ended");
      return RunState::Done;
    case runtime::Progress::Failed:
      s.life.phase.store(Health::Phase::Ended);
      s.end_taps("the program failed");
      s.end_open_canary("the program failed");
      s.failure = io(s.runner->error());
      return RunState::Failed;
  }
  return RunState::Failed;
}

void Engine::State::settle_swap() {
  auto result = runner->take_swap_result();
  if (!result) return;
  if (waiting && waiting->origin == Prepared::Origin::Shadow) return settle_shadow(*result);
  if (!result->refused.empty()) return settle_refused(result->refused);
  if (waiting && waiting->origin == Prepared::Origin::Canary) return settle_canary(*result);
  if (waiting && waiting->origin == Prepared::Origin::CanaryEnd) return settle_canary_end(*result);
  cells_converted += result->cells_converted;
  entries_converted += result->entries_converted;
  librarian->notify();
  if (!waiting) return;  // a disturbance
  bool seen = waiting->origin != Prepared::Origin::Same;
  if (seen) {
    ++real_swaps;
    edit_checks.add(waiting->report.check_ns);
    edit_compiles.add(waiting->report.compile_ns);
    edit_pauses.add(result->pause_ns);
  }
  auto settled = std::move(waiting->settled);
  std::unique_lock lock(mutex);
  ++exchanges;
  SwapReport report = std::move(waiting->report);
  report.version = result->version;
  for (const runtime::SourceCount& cut : result->cut) report.cut.push_back({cut.source, cut.records});
  report.pause_ns = result->pause_ns;
  report.entries_converted = result->entries_converted;
  if (seen) note_shadow_end(version_text(result->version) + " runs");
  if (waiting->closes_canary) close_canary(*result, CanaryReport::Life::Completed);
  if (waiting->promotes) report.shadow = shadow_text(waiting->promotes->report);
  program = waiting->program;
  program_version = result->version;
  retire(std::exchange(running_kernels, std::move(waiting->kernels)));
  running_kernels.version = program_version;
  running_graph = program->graph;
  running_optimised = waiting->optimised;
  settle_parked(*waiting, report.version);
  if (seen) probation.reset();
  if (seen && checkpoints) checkpoints->want();
  begin_probation(std::move(waiting->guards), report.version);
  waiting.reset();
  if (seen) {
    history.take(report);
    done.push_back(report);
  } else {
    history.renew(report.version, program);
  }
  lock.unlock();
  code_runs(running_kernels);
  if (settled) settled(report);
  {
    std::lock_guard sources(host_mutex);
    for (const runtime::SourcePlan& source : program->plan->sources) {
      if (auto rate = rates.find(source.name); rate != rates.end()) rate->second->store(source.generate.rate);
    }
  }
  end_lost_taps();
  ask_optimiser();
}

// An entry could not be converted: what was to follow that version cannot either.
void Engine::State::settle_refused(const std::string& why) {
  librarian->notify();
  if (!waiting) return;  // a disturbance
  std::vector<Prepared> gone;
  {
    std::lock_guard lock(mutex);
    gone.push_back(std::move(*waiting));
    waiting.reset();
    while (!prepared.empty()) {
      gone.push_back(std::move(prepared.front()));
      prepared.pop_front();
    }
    for (Prepared& version : gone) {
      if (version.origin == Prepared::Origin::Shadow) {
        retire(std::exchange(version.kernels, {}));
        if (!shadow_run || shadow_run->program != version.program) continue;
        shadow_run->report.life = ShadowReport::Life::Ended;
        shadow_run->report.ended = version_text(gone[0].report.version) + ", which it follows, was not taken";
        continue;
      }
      bool first = &version == gone.data();
      if (version.origin == Prepared::Origin::Canary) {
        canary_run->report.life = CanaryReport::Life::Ended;
        canary_run->report.ended = "it could not begin: " + why;
        retire(std::exchange(canary_run->kernels, {}));
      }
      version.report.refused =
          first ? session::refusal_text(diag::Code::MigrateFails, why)
                : version_text(gone[0].report.version) + ", which it follows, was not taken";
      // The canary that it was to close runs on, where it has begun.
      if (version.closes_canary) canary_run->closing = false;
      if (version.closes_canary && !canary_run->is_open()) continue;
      if (version.closes_canary) {
        history.forget(version.report.version);
      } else {
        history.settle(version.report.version, VersionRecord::Outcome::Refused, version.report.refused);
      }
      retire(std::exchange(version.kernels, {}));
      if (version.origin != Prepared::Origin::Same) done.push_back(version.report);
    }
  }
  for (const Prepared& version : gone) {
    if (version.settled) version.settled(version.report);
  }
}

std::optional<SwapReport> Engine::swap_done() {
  std::lock_guard lock(state_->mutex);
  if (state_->done.empty()) return std::nullopt;
  SwapReport report = std::move(state_->done.front());
  state_->done.pop_front();
  return report;
}

Outcome<Done> Engine::run_to_end() {
  constexpr int64_t wait_ns = 20'000'000;
  while (true) {
    switch (run()) {
      case RunState::Failed:
        return failure();
      case RunState::Done:
        return flush();
      case RunState::Idle: {
        auto flushed = flush();
        if (!flushed) return flushed;
        wait(wait_ns);
        break;
      }
      case RunState::More:
        break;
    }
  }
}

Outcome<Done> Engine::advance(int64_t time_ns) {
  State& s = *state_;
  if (s.options.clock != EngineOptions::Clock::Virtual)
    return Failure{Failure::Kind::Usage, "the clock of this engine is the machine's"};
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  auto turn = s.turn.run();
  if (time_ns > s.virtual_now) s.virtual_now = time_ns;
  if (!s.runner->advance(time_ns)) return io(s.runner->error());
  return Done{};
}

const Failure& Engine::failure() const { return state_->failure; }

std::vector<std::string> Engine::messages() { return state_->messages->take(); }

void Engine::wait(int64_t limit_ns) {
  uint64_t seen = state_->rung_before_run;
  int64_t retry = state_->runner ? state_->runner->feeds().retry_after_ns() : -1;
  if (retry >= 0 && retry < limit_ns) limit_ns = retry;
  int64_t due = state_->checkpoints ? state_->checkpoints->retry_after_ns() : -1;
  if (due >= 0 && due < limit_ns) limit_ns = due;
  int64_t confirms = state_->confirmation ? state_->confirmation->retry_after_ns() : -1;
  if (confirms >= 0 && confirms < limit_ns) limit_ns = confirms;
  state_->wake->wait(seen, limit_ns);
}

void Engine::stop() {
  state_->stop_asked = true;
  auto runs = Health::Phase::Running;
  state_->life.phase.compare_exchange_strong(runs, Health::Phase::Draining);
  state_->wake->notify();
}

bool Engine::State::confirm() {
  std::lock_guard lock(sinks_mutex);
  Status confirmed = confirmation->go_on(*runner, known_sinks);
  if (!confirmed) failure = io(confirmed.error());
  return confirmed.ok();
}

Outcome<Done> Engine::flush() {
  if (!state_->runner) return Done{};
  session::Busy busy(state_->life, *state_->env);
  Status status = state_->runner->flush();
  // What an edit has closed may still wait for a disk.
  std::lock_guard lock(state_->sinks_mutex);
  for (const session::KnownSink& sink : state_->known_sinks) {
    if (status && sink.writer->is_out_of_space()) status = sink.writer->flush();
  }
  if (!status) return io(status.error());
  return Done{};
}

Outcome<Done> Engine::close() {
  if (!state_->runner) return Done{};
  state_->end_taps("the program has ended");
  auto runs = Health::Phase::Running;
  state_->life.phase.compare_exchange_strong(runs, Health::Phase::Draining);
  state_->taking_back.reset();  // a guard's edit that is still built comes too late
  auto turn = state_->turn.run();
  session::Busy busy(state_->life, *state_->env);  // who looks is not to wait for the sinks
  state_->end_open_canary("the run has ended");
  state_->let_profile_end();
  state_->closed_already = true;
  if (state_->checkpoints) {
    state_->checkpoints->wait();
    state_->hear_of_checkpoint();
  }
  Status recorded = state_->history.end();
  bool confirms = state_->ran_out && state_->confirmation && session::Confirmation::note(*state_->runner);
  Status status = state_->close_sinks();
  if (status && confirms) state_->runner->acknowledge_saved();
  state_->life.phase.store(Health::Phase::Ended);
  if (!status) return io(status.error());
  if (!recorded) return io(recorded.error());
  return Done{};
}

}  // namespace mut
