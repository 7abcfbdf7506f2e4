// `process`: for each key the values of its variables and the timers that are set. Statements run one after
// the other over a copy, which is kept when none of them fails.
#include <algorithm>
#include <set>
#include <utility>

#include "compiler/reference/flow.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::Statement;

namespace {

// One run of a body.
struct Run {
  const typed::Process& process;
  ProcessGroup group;
  Scope scope;
  bool by_timer = false;
  std::vector<Value> rows{};
  std::set<std::string> set{};  // timers

  void bind() {
    for (size_t i = 0; i < group.states.size(); ++i) scope.locals[process.states[i].local] = group.states[i];
  }

  void run(const std::vector<Statement>& body) {
    for (const Statement& statement : body) {
      auto index = static_cast<size_t>(statement.index);
      switch (statement.kind) {
        case Statement::Kind::Let: {
          Value value = evaluate(*statement.value, scope);
          scope.locals[statement.index] = value;
          break;
        }
        case Statement::Kind::Assign:
          group.states[index] = evaluate(*statement.value, scope);
          bind();
          break;
        case Statement::Kind::If:
          run(evaluate(*statement.value, scope).as_bool() ? statement.then_body : statement.else_body);
          break;
        case Statement::Kind::Emit:
          rows.push_back(evaluate(*statement.value, scope));
          break;
        case Statement::Kind::SetTimer: {
          int64_t due = evaluate(*statement.value, scope).as_int();
          if (by_timer && due <= scope.time) fail(typed::EventError::Timer);
          group.timers[process.timers[index].name] = due;
          set.insert(process.timers[index].name);
          break;
        }
        case Statement::Kind::CancelTimer:
          group.timers.erase(process.timers[index].name);
          set.erase(process.timers[index].name);
          break;
      }
    }
  }
};

}  // namespace

ProcessGroup Flow::process_group(StagePlace place, const Key& key) const {
  const StageState& state = states_.at(place);
  if (auto known = state.processes.find(key); known != state.processes.end()) return known->second;
  ProcessGroup out;
  for (const typed::ProcessState& each : stage_at(place).process->states) {
    Scope nothing;  // but params
    nothing.params = &params_;
    out.states.push_back(evaluate(*each.initial, nothing));
  }
  return out;
}

Flow::Step Flow::process(StagePlace place, const Event& event) {
  const typed::Stage& stage = stage_at(place);
  const typed::Process& process = *stage.process;
  if (stage.ttl) forget();
  Key key = key_of(stage.keys, event);
  Run run{process, {}, scope_of(event), false};
  if (process.keeps_state()) run.group = process_group(place, key);
  for (size_t i = 0; i < key.size(); ++i) run.scope.locals[process.key_locals[i]] = key[i];
  run.bind();
  run.run(process.on_event);
  run.group.newest = std::max(run.group.newest, event.time);
  if (process.keeps_state()) states_.at(place).processes[key] = std::move(run.group);
  Step out;
  for (Value& row : run.rows) {
    Event made = event;
    made.fields = row.parts();
    out.rows.push_back(std::move(made));
  }
  return out;
}

int64_t Flow::next_timer(StagePlace place) const {
  int64_t least = end_of_time;
  for (const auto& [key, group] : states_.at(place).processes) {
    for (const auto& [name, due] : group.timers) least = std::min(least, due);
  }
  return least;
}

// The first by key, then by name, of those that are due then.
void Flow::fire_timer(StagePlace place, int64_t due) {
  const typed::Stage& stage = stage_at(place);
  auto& groups = states_.at(place).processes;
  auto fires = [&](const auto& timer) { return timer.second == due; };
  auto first = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
    return std::any_of(group.second.timers.begin(), group.second.timers.end(), fires);
  });
  Key key = first->first;
  auto timer = std::find_if(first->second.timers.begin(), first->second.timers.end(), fires);
  std::string name = timer->first;
  first->second.timers.erase(timer);
  bool at_end = watermark(place.first, place.second) == end_of_time;
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, due));
  Event cause;
  cause.time = due;
  cause.origin = {cause_.source, cause_.position, ""};
  Run run{*stage.process, process_group(place, key), scope_of(cause), true};
  for (size_t i = 0; i < key.size(); ++i) run.scope.locals[stage.process->key_locals[i]] = key[i];
  run.bind();
  try {
    for (const typed::ProcessTimer& each : stage.process->timers) {
      if (each.name == name) run.run(each.body);
    }
    run.group.newest = std::max(run.group.newest, due);
    // What a timer sets at the end of the input does not fire any more.
    for (const std::string& set : run.set) {
      if (at_end) run.group.timers.erase(set);
    }
    states_.at(place).processes[key] = std::move(run.group);
    for (Value& row : run.rows) {
      Event made = cause;
      made.fields = row.parts();
      this->run(place.first, place.second + 1, std::move(made));
    }
  } catch (const EventFailure& failure) {
    std::string json = "{";
    for (size_t i = 0; i < key.size(); ++i) {
      json +=
          (i == 0 ? "" : ",") + quote_json(stage.key_names[i]) + ":" + to_json(key[i], stage.keys[i]->type);
    }
    send_error(place.first, cause, json + "}", std::nullopt, stage.keyword, stage.span,
               typed::event_error_code(failure.error));
  }
  firing_limits_ = outer;
}

}  // namespace mut::reference
