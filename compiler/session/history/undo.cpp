// What becomes a version and is recorded: params that a host sets, steps back and forth, and what fails.
#include <algorithm>

#include "compiler/session/engine_state.h"
#include "compiler/session/params.h"

namespace mut {
namespace {

VersionRecord::Outcome outcome_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::NoChange:
      return VersionRecord::Outcome::Equivalent;
    case Failure::Kind::Refused:
      return VersionRecord::Outcome::Refused;
    case Failure::Kind::NeedsDecision:
      return VersionRecord::Outcome::NeedsDecision;
    case Failure::Kind::Superseded:
      return VersionRecord::Outcome::Superseded;
    case Failure::Kind::Script:
    case Failure::Kind::Usage:
    case Failure::Kind::Io:
    case Failure::Kind::Internal:
      return VersionRecord::Outcome::Failed;
  }
  return VersionRecord::Outcome::Failed;
}

// Of a text that begins with a plan: what the plan comes to, or what refuses it.
std::string reason_in(const std::string& text) {
  size_t refusal = text.find("error[");
  if (refusal != std::string::npos) {
    size_t line = text.rfind('\n', refusal);
    return text.substr(line == std::string::npos ? 0 : line + 1);
  }
  size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  size_t line = text.rfind('\n', end);
  line = line == std::string::npos ? 0 : line + 1;
  // Behind it stands, in a column of its own, the exit code.
  size_t column = text.find("   ", line);
  return text.substr(line, std::min(column, end + 1) - line);
}

}  // namespace

VersionRecord Engine::State::begin_record(uint64_t version, const std::string& script_name,
                                          std::string_view script) {
  VersionRecord out;
  out.version = version;
  out.time_ns = env->wall_ns();
  out.name = script_name;
  out.text = std::string(script);
  return out;
}

Failure Engine::State::record_failure(VersionRecord record, const SwapReport& report, Failure why) {
  record.outcome = outcome_of(why.kind);
  bool planned = why.kind == Failure::Kind::NoChange || why.kind == Failure::Kind::Refused ||
                 why.kind == Failure::Kind::NeedsDecision;
  record.plan = report.plan;
  record.cells = report.cells;
  record.check_ns = report.check_ns;
  record.compile_ns = report.compile_ns;
  if (record.reason.empty()) record.reason = planned ? reason_in(why.text) : why.text;
  while (record.reason.ends_with('\n')) record.reason.pop_back();
  (void)history.add(std::move(record));  // only what is to be taken can fail there
  return why;
}

void Engine::State::fill_waiting(const Prepared& ready, VersionRecord& record) {
  record.plan = ready.report.plan;
  record.cells = ready.report.cells;
  record.check_ns = ready.report.check_ns;
  record.compile_ns = ready.report.compile_ns;
  record.params = ready.program->params;
}

std::optional<Failure> Engine::State::record_waiting(const VersionRecord& record, const SwapReport& report) {
  Status recorded = history.add(record);
  if (recorded) return std::nullopt;
  return record_failure(record, report, {Failure::Kind::Io, recorded.error().message});
}

Outcome<Done> Engine::set_param(const std::string& name, const std::string& value,
                                const std::vector<SourceCut>& at,
                                std::function<void(const SwapReport&)> settled) {
  State& s = *state_;
  if (!s.started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  if (at.empty()) s.let_waiting_shadow_go();
  std::unique_lock lock(s.mutex);
  SwapReport offered;
  if (auto held = s.held_by_canary(at)) return *held;
  offered.version = ++s.versions;
  while (true) {
    State::Base base = s.base_after(s.prepared.size());
    lock.unlock();
    VersionRecord record = s.begin_record(offered.version, base.program->name(), base.program->text);
    record.parent = base.version;
    record.params = base.program->params;
    auto wrong = s.wrong_cut(at, *base.program);
    if (wrong) return s.record_failure(std::move(record), offered, *wrong);
    int64_t begin = s.env->monotonic_ns();
    auto made = session::with_param(*base.program, name, value);
    if (!made) return s.record_failure(std::move(record), offered, made.failure());
    SwapReport report = offered;
    report.check_ns = s.env->monotonic_ns() - begin;
    auto ready = s.prepare_params(at, base, made.value(), report);
    if (!ready) return s.record_failure(std::move(record), report, ready.failure());
    s.fill_waiting(ready.value(), record);
    if (auto untaken = s.record_waiting(record, report)) return *untaken;
    lock.lock();
    if (auto held = s.held_by_canary(at)) {
      lock.unlock();
      return s.record_failure(std::move(record), report, std::move(*held));
    }
    if (s.base_after(s.prepared.size()).program != base.program) continue;
    s.history.keep(report.version, base.version, session::StepKind::Edit, ready.value().program);
    ready.value().settled = std::move(settled);
    ready.value().guards = session::guards_of(*made.value(), {}, s.options.clock);
    s.prepared.push_back(std::move(ready).value());
    s.wake->notify();
    return Done{};
  }
}

std::optional<Failure> Engine::State::take_back_untaken(const UndoRequest& request) {
  if (!started || !request.at.empty()) return std::nullopt;
  let_waiting_shadow_go();
  {
    // Nobody is asked to wait for a batch where nothing is to be let go of.
    std::lock_guard lock(mutex);
    if (auto held = held_by_canary(request.at)) return held;
    if (!waiting && prepared.empty()) return std::nullopt;
  }
  SwapReport gone;
  std::function<void(const SwapReport&)> settled;
  VersionRecord record;
  turn.ask([&] {
    std::lock_guard lock(mutex);
    bool held = (waiting && runner->waits_for_cut()) ||
                std::any_of(prepared.begin(), prepared.end(),
                            [](const Prepared& version) { return !version.swap.at.empty(); });
    if (!held) return;
    Prepared& newest = prepared.empty() ? *waiting : prepared.back();
    if (newest.origin == Prepared::Origin::Same || newest.is_beside()) return;
    record = begin_record(++versions, newest.program->name(), newest.program->text);
    gone = std::move(newest.report);
    gone.superseded_by = record.version;
    settled = std::move(newest.settled);
    if (prepared.empty()) {
      runner->unschedule();
      waiting.reset();
    } else {
      prepared.pop_back();
    }
    Base left = base_after(prepared.size());
    record.parent = gone.version;
    record.restores = left.version;
    record.text = left.program->text;
    record.reason = "v" + std::to_string(gone.version) + " had not reached its cut and is taken back; v" +
                    std::to_string(left.version) +
                    (left.version == program_version ? " runs on" : " waits on");
    history.settle(gone.version, VersionRecord::Outcome::Superseded, record.reason);
    done.push_back(gone);
  });
  if (record.version == 0) return std::nullopt;
  if (settled) settled(gone);
  std::string told = record.reason + "\n";
  return record_failure(std::move(record), gone, {Failure::Kind::NoChange, std::move(told)});
}

Outcome<SwapReport> Engine::undo(const UndoRequest& request) {
  if (auto taken_back = state_->take_back_untaken(request)) return *taken_back;
  return state_->step_to(request, session::StepKind::Undo, {});
}

Outcome<SwapReport> Engine::redo(const UndoRequest& request) {
  if (state_->started && request.at.empty()) state_->let_waiting_shadow_go();
  return state_->step_to(request, session::StepKind::Redo, {});
}

std::vector<VersionRecord> Engine::history() const { return state_->history.records(); }

Outcome<SwapReport> Engine::State::step_to(const UndoRequest& request, session::StepKind kind,
                                           const std::string& cause) {
  if (!started) return Failure{Failure::Kind::Usage, "the engine was not started"};
  SwapRequest edit;
  edit.accept = request.accept;
  edit.at = request.at;
  SwapReport offered;
  offered.cause = cause;
  std::unique_lock lock(mutex);
  while (true) {
    if (auto held = held_by_canary(request.at)) {
      lock.unlock();
      if (offered.version == 0) return *held;
      return record_failure(begin_record(offered.version, name, ""), offered, std::move(*held));
    }
    // Behind all that waits: it takes back what was done last.
    Base base = base_after(prepared.size());
    auto step = history.step(base.version, kind);
    bool late = kind == session::StepKind::RollBack && base.version != program_version;
    if (!step || late) {
      bool forth = kind == session::StepKind::Redo;
      std::string where = forth ? "redo: no version that is kept comes behind v"
                                : "undo: no version that is kept comes before v";
      Failure nothing{Failure::Kind::Usage, "nothing to " + where + std::to_string(base.version)};
      if (late) nothing.text = "another edit was made in between";
      if (offered.version == 0) return nothing;
      lock.unlock();
      return record_failure(begin_record(offered.version, base.program->name(), base.program->text), offered,
                            std::move(nothing));
    }
    if (auto wrong = wrong_cut(request.at, *base.program)) return *wrong;
    if (offered.version == 0) offered.version = ++versions;
    lock.unlock();
    VersionRecord record = begin_record(offered.version, step->program->name(), step->program->text);
    record.parent = base.version;
    record.restores = step->version;
    record.accepted = request.accept;
    record.reason = cause;
    SwapReport report = offered;
    auto made = with_taps_of(*base.program, step->program);
    if (!made) {
      return record_failure(std::move(record), report,
                            {Failure::Kind::Io, "what the script imports has changed"});
    }
    // Versions that differ in values of params alone share everything else, taps apart.
    bool same_script = step->program->typed == base.program->typed ||
                       (made != step->program && made->text == base.program->text);
    if (same_script) made = session::with_params_from(*made, base.program);
    auto ready = same_script ? prepare_params(request.at, base, made, report)
                             : prepare_edit(edit, base, made, kind, report);
    if (ready) ready.value().settled = request.settled;
    if (!ready) return record_failure(std::move(record), report, ready.failure());
    fill_waiting(ready.value(), record);
    if (auto untaken = record_waiting(record, report)) return *untaken;
    lock.lock();
    if (base_after(prepared.size()).program != base.program || held_by_canary(request.at)) continue;
    if (!can_return(ready.value().returns, prepared.size())) continue;
    history.keep(report.version, base.version, kind, ready.value().program);
    prepared.push_back(std::move(ready).value());
    wake->notify();
    return report;
  }
}

}  // namespace mut
