// What each stage makes of one event. A failure leaves the stage's state as it was (rule 4.4).
#include <algorithm>
#include <cmath>

#include "compiler/reference/flow.h"

namespace mut::reference {

using typed::AggregateFn;
using typed::EventError;
using typed::OverKind;
using typed::Stage;
using typed::StageKind;
using typed::WindowKind;

Flow::Step Flow::step(int stream, size_t index, Event& event) {
  const Stage& stage = stage_at({stream, index});
  switch (stage.kind) {
    case StageKind::Where:
    case StageKind::Project:
      return with_history({stream, index}, event);
    case StageKind::Flatten:
      return flatten(stage, event);
    case StageKind::Dedupe:
      return dedupe({stream, index}, event);
    case StageKind::Aggregate:
      if (!stage.follows.empty()) return follow({stream, index}, event);
      if (stage.window.kind == WindowKind::Running) return running({stream, index}, event);
      if (stage.window.kind == WindowKind::Count) return counted({stream, index}, event);
      return windowed({stream, index}, event);
    case StageKind::Hold:
      return hold({stream, index}, event);
    case StageKind::Match:
      return match({stream, index}, event);
    case StageKind::Process:
      return process({stream, index}, event);
    case StageKind::Join:
      return join({stream, index}, 0, event);
    case StageKind::Table:
      return put({stream, index}, event);
    case StageKind::Lookup:
      return look_up({stream, index}, event);
  }
  return {};
}

Flow::Step Flow::flatten(const Stage& stage, const Event& event) {
  Scope scope = scope_of(event);
  Value list = evaluate(*stage.list, scope);
  Step out;
  for (const Value& element : list.parts()) {
    Event row = event;
    auto at = row.fields.begin() + stage.flatten_output;
    if (stage.list_field >= 0) {
      *at = element;
    } else {
      row.fields.insert(at, element);
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

Key Flow::key_of(const std::vector<typed::ExprPtr>& keys, const Event& event) const {
  Key out;
  for (const typed::ExprPtr& key : keys) {
    Scope scope = scope_of(event);
    Value value = evaluate(*key, scope);
    // One form for what the total order holds to be equal.
    if (value.is_float() && value.as_float() == 0) value = 0.0;
    if (value.is_float() && std::isnan(value.as_float())) value = std::nan("");
    out.push_back(std::move(value));
  }
  return out;
}

// What a cell keeps of an event; nothing when the filter lets it go or the value is none.
std::optional<Admitted> Flow::admit(const typed::AggregateCall& call, const Event& event) const {
  Scope scope = scope_of(event);
  if (call.filter && !evaluate(*call.filter, scope).as_bool()) return std::nullopt;
  Admitted out;
  out.time = event.time;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    Value argument = evaluate(*call.arguments[i], scope);
    if (argument.is_none() && call.own->parameter_types[i]->kind != typed::Kind::Optional)
      return std::nullopt;
    out.arguments.push_back(std::move(argument));
  }
  if (call.argument) {
    out.value = evaluate(*call.argument, scope);
    bool looks_back = call.fn == AggregateFn::Prev || call.fn == AggregateFn::Changed;
    if (call.order) out.order = evaluate(*call.order, scope);
    if (out.value.is_none() && !looks_back) return std::nullopt;
  }
  return out;
}

// Entries that a history sees for an event, the event itself last.
std::vector<Entry> Flow::visible(const typed::History& history, const std::vector<Entry>& stored,
                                 const Entry& current) const {
  std::vector<Entry> out;
  if (history.over == OverKind::LastDuration) {
    int64_t begin = minus(current.time, history.amount);  // excluded
    for (const Entry& entry : stored) {
      if (entry.time > begin && entry.time <= current.time) out.push_back(entry);
    }
    // In order of event time, ties by arrival: an aggregate of the script can tell (rule 5.4).
    std::stable_sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.time < b.time; });
  } else if (history.over == OverKind::LastEvents) {
    auto others = static_cast<size_t>(history.amount) - (history.excluding_current ? 0 : 1);
    out.assign(stored.end() - static_cast<ptrdiff_t>(std::min(others, stored.size())), stored.end());
  } else {
    out = stored;
  }
  if (!history.excluding_current) out.push_back(current);
  return out;
}

Value Flow::history_result(const typed::History& history, const std::vector<Entry>& stored,
                           const Entry& current) const {
  if (history.call.fn == AggregateFn::Rank) {
    if (!current.cells[0]) return {};
    int64_t greater = 0;
    for (const Admitted& other : list_of(visible(history, stored, current), 0)) {
      if (total_order(other.value, current.cells[0]->value) > 0) ++greater;
    }
    return greater + 1;
  }
  if (history.over != OverKind::Previous)
    return aggregate(history.call, list_of(visible(history, stored, current), 0));
  std::vector<Admitted> before = list_of(stored, 0);
  if (history.call.fn == AggregateFn::Changed) {
    return before.empty() || (current.cells[0] && !equal(before.back().value, current.cells[0]->value));
  }
  if (before.empty()) return {};
  const Value& last = before.back().value;
  if (history.call.fn == AggregateFn::Prev) return last;
  if (!current.cells[0]) return {};
  const Value& now = current.cells[0]->value;
  if (now.is_float()) return now.as_float() - last.as_float();
  if (now.is_decimal()) return fitting(add(now.as_decimal(), negated(last.as_decimal())));
  int64_t difference = 0;
  if (__builtin_sub_overflow(now.as_int(), last.as_int(), &difference)) fail(EventError::Overflow);
  return difference;
}

// where, select, with and their kin. Every history sees the event first, also one that no branch asks for.
Flow::Step Flow::with_history(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  std::vector<Key> keys;
  std::vector<Entry> current;
  if (!stage.histories.empty()) forget();
  for (const typed::History& history : stage.histories) {
    keys.push_back(key_of(history.keys, event));
    current.push_back({event.time, {admit(history.call, event)}});
  }
  for (size_t i = 0; i < stage.histories.size(); ++i) {
    const typed::History& history = stage.histories[i];
    if (history.call.own == nullptr) continue;
    // The event is added, whether its result is asked for or not.
    std::vector<Entry> stored = states_.at(place).histories[i][keys[i]];
    history_result(history, stored, current[i]);
    stored.push_back(current[i]);
    if (history.over == OverKind::All) check_own(history.call, list_of(stored, 0));
  }
  Scope scope = scope_of(event);
  scope.history = [&](size_t index) {
    const std::vector<Entry>& stored = states_.at(place).histories[index][keys[index]];
    return history_result(stage.histories[index], stored, current[index]);
  };
  Step out;
  if (stage.kind == StageKind::Where) {
    if (evaluate(*stage.condition, scope).as_bool()) {
      out.rows.push_back(event);
    } else if (!stage.histories.empty()) {
      ++states_.at(place).dropped;
    }
  } else {
    Event row = event;
    row.fields.clear();
    for (const typed::Output& output : stage.outputs) row.fields.push_back(evaluate(*output.value, scope));
    out.rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < stage.histories.size(); ++i)
    states_.at(place).histories[i][keys[i]].push_back(std::move(current[i]));
  forget();
  return out;
}

// The first arrival passes; an event is a repeat when one that passed is less than `within` away.
Flow::Step Flow::dedupe(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  Key key = key_of(stage.keys, event);
  forget();
  std::vector<Entry>& passed = states_.at(place).log[key];
  if (stage.most > 0) {
    auto near = std::count_if(passed.begin(), passed.end(), [&](const Entry& entry) {
      return entry.time <= event.time && event.time < plus(entry.time, stage.within);
    });
    if (near >= stage.most) {
      ++states_.at(place).dropped;
      return {};
    }
  }
  for (const Entry& entry : passed) {
    if (stage.most > 0) break;
    if (entry.time < plus(event.time, stage.within) && event.time < plus(entry.time, stage.within)) {
      ++states_.at(place).dropped;
      return {};
    }
  }
  passed.push_back({event.time, {}});
  forget();
  Step out;
  out.rows.push_back(event);
  return out;
}

// Drops what the watermark has passed: `over last d` and `dedupe` hold an event until its time + d,
// groups with a ttl until their newest event + ttl is behind (rules 5.5, 5.13, 8.17).
void Flow::forget() {
  for (auto& [place, state] : states_) {
    const Stage& stage = stage_at(place);
    int64_t now = watermark(place.first, place.second);
    auto drop_old = [&](Log& log, int64_t span) {
      for (auto group = log.begin(); group != log.end();) {
        std::erase_if(group->second, [&](const Entry& entry) { return plus(entry.time, span) <= now; });
        group = group->second.empty() ? log.erase(group) : std::next(group);
      }
    };
    auto drop_groups = [&](Log& log, int64_t ttl, bool ticks) {
      std::erase_if(log, [&](const auto& group) {
        return std::all_of(group.second.begin(), group.second.end(), [&](const Entry& entry) {
          bool to_tell = ticks && !entry.told;  // it is given before it is forgotten
          return plus(std::max(entry.time, entry.alive_at), ttl) < now && !to_tell;
        });
      });
    };
    for (size_t i = 0; i < stage.histories.size(); ++i) {
      const typed::History& history = stage.histories[i];
      if (history.over == OverKind::LastDuration) drop_old(state.histories[i], history.amount);
      if (history.ttl) drop_groups(state.histories[i], *history.ttl, false);
      if (history.over != OverKind::LastEvents) continue;
      for (auto& [key, entries] : state.histories[i]) {
        if (auto most = static_cast<size_t>(history.amount); entries.size() > most)
          entries.erase(entries.begin(), entries.end() - static_cast<ptrdiff_t>(most));
      }
    }
    if (stage.kind == StageKind::Dedupe) drop_old(state.log, stage.within);
    bool running = stage.kind == StageKind::Aggregate && stage.window.kind == WindowKind::Running;
    if (running && stage.ttl) drop_groups(state.log, *stage.ttl, stage.ticks());
    if (stage.process && stage.ttl) {
      std::erase_if(state.processes, [&](const auto& group) {
        return group.second.timers.empty() && plus(group.second.newest, *stage.ttl) < now;
      });
    }
  }
}

// A running aggregate gives a row for each event, or at ticks.
Flow::Step Flow::running(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  if (stage.ttl) forget();
  Key key = key_of(stage.keys, event);
  Entry current{event.time, {}};
  for (const typed::AggregateCall& call : stage.aggregates) current.cells.push_back(admit(call, event));
  StageState& state = states_.at(place);
  auto known = state.log.find(key);
  std::vector<Entry> members = known == state.log.end() ? std::vector<Entry>() : known->second;
  members.push_back(current);
  for (size_t i = 0; i < stage.aggregates.size(); ++i) {
    if (stage.aggregates[i].own != nullptr) aggregate(stage.aggregates[i], list_of(members, i));
  }
  if (stage.ticks()) {
    state.log[key] = std::move(members);
    plan_tick(place, event.time);
    return {};
  }
  Scope scope = scope_of(event);
  scope.keys = &key;
  scope.aggregate = [&](size_t index) { return aggregate(stage.aggregates[index], list_of(members, index)); };
  Event row = event;
  row.fields.clear();
  for (const typed::Output& output : stage.outputs) row.fields.push_back(evaluate(*output.value, scope));
  state.log[key] = std::move(members);
  Step out;
  out.rows.push_back(std::move(row));
  return out;
}

}  // namespace mut::reference
