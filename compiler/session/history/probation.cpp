// Guards over an edit: too many events that fail, and the version before comes back.
#include <fmt/format.h>

#include "compiler/session/engine_state.h"

namespace mut {

namespace session {

std::vector<EditGuard> guards_of(const Program& program, const std::optional<Guard>& asked,
                                 EngineOptions::Clock clock) {
  std::vector<EditGuard> out;
  if (asked) out.push_back({*asked, ""});
  if (clock == EngineOptions::Clock::Virtual) return out;
  for (const typed::Guard& guard : program.typed->guards) {
    bool all = guard.stream < 0;
    out.push_back({{guard.error_share, guard.records},
                   all ? "" : program.typed->streams[static_cast<size_t>(guard.stream)].name});
  }
  return out;
}

}  // namespace session

namespace {

// Of fewer records a share says nothing.
constexpr uint64_t records_min = 100;

}  // namespace

uint64_t Engine::State::errors_of(const session::EditGuard& guard) const {
  return runner->live_errors(guard.stream);
}

void Engine::State::begin_probation(std::vector<session::EditGuard> guards, uint64_t version) {
  if (guards.empty()) return;
  std::vector<Probation::Watch> watches;
  for (session::EditGuard& guard : guards) {
    uint64_t errors = errors_of(guard);
    watches.push_back({std::move(guard), errors});
  }
  probation = Probation{std::move(watches), version, runner->live_records(), ""};
}

std::string Engine::State::judge_watches() {
  uint64_t records = runner->live_records() - probation->records;
  std::string why;
  std::erase_if(probation->watches, [&](const Probation::Watch& watch) {
    const Guard& limit = watch.guard.limit;
    uint64_t errors = errors_of(watch.guard) - watch.errors;
    bool over = records >= limit.records;
    if (records < records_min && !over) return false;
    if (errors == 0 || static_cast<double>(errors) < limit.error_share * static_cast<double>(records))
      return over;
    std::string of = watch.guard.stream.empty() ? "" : " of " + watch.guard.stream;
    if (why.empty())
      why = fmt::format("{} errors in {} records, guard errors{} < {:g} %", errors, records, of,
                        limit.error_share * 100);
    return false;
  });
  return why;
}

void Engine::State::judge_probation() {
  if (!probation) return;
  if (probation->why.empty()) probation->why = judge_watches();
  if (probation->why.empty()) {
    if (probation->watches.empty()) probation.reset();
    return;
  }
  std::vector<Prepared> dropped;
  {
    std::lock_guard lock(mutex);
    drop_waiting_shadow();
    dropped = drop_waiting_canary();
    // A version cannot go back beneath a canary: when that is ended; one that is completed takes its place.
    if (canary_run && canary_run->is_open()) return;
  }
  tell_dropped(std::move(dropped));
  uint64_t version = probation->version;
  std::string why = std::move(probation->why);
  probation.reset();
  // What is to be compiled for it does not hold up the rows.
  taking_back = env->start_thread("mut-take-back", [this, version, why] {
    auto back = step_to({}, session::StepKind::RollBack, fmt::format("v{} is taken back: {}", version, why));
    if (!back) history.note(version, why + "; not taken back: " + back.failure().text);
  });
}

}  // namespace mut
