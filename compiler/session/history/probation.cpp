// A guard over an edit: too many events that fail, and the version before comes back.
#include <fmt/format.h>

#include "compiler/session/engine_state.h"

namespace mut {
namespace {

// Of fewer records a share says nothing.
constexpr uint64_t records_min = 100;

}  // namespace

void Engine::State::judge_probation() {
  if (!probation) return;
  uint64_t records = runner->stats().records_in - probation->records;
  uint64_t errors = runner->errors().total() - probation->errors;
  double share = probation->guard.error_share;
  bool over = records >= probation->guard.records;
  if (records < records_min && !over) return;
  if (errors == 0 || static_cast<double>(errors) < share * static_cast<double>(records)) {
    if (over) probation.reset();
    return;
  }
  uint64_t version = probation->version;
  probation.reset();
  std::string why =
      fmt::format("{} errors in {} records, guard errors < {:g} %", errors, records, share * 100);
  // What is to be compiled for it does not hold up the rows.
  taking_back = env->start_thread("mut-take-back", [this, version, why] {
    auto back = step_to({}, session::StepKind::RollBack, fmt::format("v{} is taken back: {}", version, why));
    if (!back) history.note(version, why + "; not taken back: " + back.failure().text);
  });
}

}  // namespace mut
