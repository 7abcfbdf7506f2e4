// The stage `match`: events of a key in order of time, once the watermark has settled it, and the starts
// among them that are not decided yet.
#include <algorithm>
#include <utility>

#include "compiler/reference/flow.h"
#include "compiler/reference/json.h"
#include "compiler/reference/patterns.h"

namespace mut::reference {

using typed::Stage;

namespace {

// At the end of the input what has no `within` is decided, after everything that has a time.
constexpr int64_t last_instant = end_of_time - 1;

}  // namespace

Flow::Step Flow::match(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  Key key = key_of(stage.keys, event);
  MatchEvent kept;
  kept.fields = event.fields;
  kept.time = event.time;
  Scope scope = scope_of(event);
  for (const typed::PatternName& name : stage.match->names) {
    bool holds = !name.condition || name.looks_back || evaluate(*name.condition, scope).as_bool();
    kept.holds.push_back(holds);
  }
  for (const typed::AggregateCall& call : stage.aggregates) kept.cells.push_back(admit(call, event));
  StageState& state = states_.at(place);
  Step out;
  if (int64_t now = watermark(place.first, place.second); now != no_time && event.time < now) {
    ++state.late;
    return out;
  }
  state.waiting.emplace(std::pair{event.time, ++state.arrivals}, std::pair{std::move(key), std::move(kept)});
  settle(place, watermark(place.first, place.second), out.rows);
  return out;
}

// What the next thing to happen is, whether the watermark is there or not.
int64_t Flow::next_settled(StagePlace place) const {
  const StageState& state = states_.at(place);
  int64_t least = state.waiting.empty() ? end_of_time : state.waiting.begin()->first.first;
  int64_t within = stage_at(place).match->within;
  for (const auto& [key, group] : state.matches) {
    for (size_t start : group.starts) {
      least = std::min(least, within > 0 ? plus(group.events[start].time, within) : last_instant);
    }
  }
  return least;
}

// Everything up to `now`, instant by instant: what ends, by key, then what came, by arrival.
void Flow::settle(StagePlace place, int64_t now, std::vector<Event>& rows) {
  StageState& state = states_.at(place);
  while (true) {
    int64_t at = next_settled(place);
    if (at > now || at == end_of_time) break;
    for (auto& [key, group] : state.matches) decide(place, key, group, at, rows);
    while (!state.waiting.empty() && state.waiting.begin()->first.first == at) {
      auto [key, event] = std::move(state.waiting.begin()->second);
      state.waiting.erase(state.waiting.begin());
      MatchGroup& group = state.matches[key];
      group.starts.push_back(group.events.size());
      group.events.push_back(std::move(event));
      decide(place, key, group, at, rows);
    }
    std::erase_if(state.matches, [](const auto& entry) { return entry.second.starts.empty(); });
  }
}

bool Flow::holds(StagePlace place, const MatchGroup& group, int name, size_t event,
                 const std::vector<BoundEvent>& bound) {
  const Stage& stage = stage_at(place);
  const typed::PatternName& of = stage.match->names[static_cast<size_t>(name)];
  if (!of.looks_back) return group.events[event].holds[static_cast<size_t>(name)];
  Scope scope;
  scope.fields = &group.events[event].fields;
  scope.time = group.events[event].time;
  scope.arrival = clock_ == no_time ? 0 : clock_;
  scope.params = &params_;
  scope.aggregate = [&](size_t index) { return measure(place, group, index, bound); };
  try {
    return evaluate(*of.condition, scope).as_bool();
  } catch (const EventFailure&) {
    return false;  // it does not hold
  }
}

Value Flow::measure(StagePlace place, const MatchGroup& group, size_t index,
                    const std::vector<BoundEvent>& bound) const {
  const Stage& stage = stage_at(place);
  std::vector<Admitted> list;
  for (const BoundEvent& each : bound) {
    const auto& admitted = group.events[each.event].cells[index];
    if (each.name == stage.match->measure_names[index] && admitted) list.push_back(*admitted);
  }
  return aggregate(stage.aggregates[index], list);
}

// Decides the starts of a key as far as they can be. Without `skip to next` a start waits for those before
// it.
void Flow::decide(StagePlace place, const Key& key, MatchGroup& group, int64_t now,
                  std::vector<Event>& rows) {
  const typed::Match& match = *stage_at(place).match;
  PatternSearch search(match, [&](int name, size_t event, const std::vector<BoundEvent>& bound) {
    return holds(place, group, name, event, bound);
  });
  std::vector<size_t> open;
  size_t from = 0;  // starts before that event are inside a match
  for (size_t i = 0; i < group.starts.size(); ++i) {
    size_t start = group.starts[i];
    if (start < from) continue;
    if (!match.next_event && !open.empty()) {
      // It waits; one that its own event refutes is none.
      if (search.from(start, start + 1, false) != Found::No) open.push_back(start);
      continue;
    }
    int64_t last = match.within > 0 ? plus(group.events[start].time, match.within) : end_of_time;
    size_t end = start;
    while (end < group.events.size() && group.events[end].time < last) ++end;
    bool over = end < group.events.size() || now >= last || now == last_instant;
    switch (search.from(start, end, over)) {
      case Found::No:
        break;
      case Found::Open:
        open.push_back(start);
        break;
      case Found::Yes:
        select(place, key, group, search.bound(), rows);
        if (!match.next_event) from = search.bound().back().event + 1;
    }
  }
  size_t before_limit = open.size();
  if (static_cast<int64_t>(open.size()) > match.limit) {
    states_.at(place).dropped += open.size() - static_cast<size_t>(match.limit);
    open.erase(open.begin(), open.end() - static_cast<ptrdiff_t>(match.limit));
  }
  bool let_go = open.size() < before_limit;
  group.starts = std::move(open);
  // Events before the first start are not asked for again.
  size_t gone = group.starts.empty() ? group.events.size() : group.starts[0];
  group.events.erase(group.events.begin(), group.events.begin() + static_cast<ptrdiff_t>(gone));
  for (size_t& start : group.starts) start -= gone;
  if (let_go) decide(place, key, group, now, rows);  // the next one waits no more
}

void Flow::select(StagePlace place, const Key& key, const MatchGroup& group,
                  const std::vector<BoundEvent>& bound, std::vector<Event>& rows) {
  const Stage& stage = stage_at(place);
  Event row;
  row.time = stage.match->absent.empty()
                 ? group.events[bound.back().event].time
                 : minus(plus(group.events[bound.front().event].time, stage.match->within), 1);
  row.origin = {cause_.source, cause_.position, ""};
  Scope scope;
  scope.params = &params_;
  scope.time = row.time;
  scope.arrival = clock_ == no_time ? 0 : clock_;
  scope.keys = &key;
  scope.aggregate = [&](size_t index) { return measure(place, group, index, bound); };
  try {
    for (const typed::Output& output : stage.outputs) row.fields.push_back(evaluate(*output.value, scope));
  } catch (const EventFailure& failure) {
    std::string json = "{";
    for (size_t i = 0; i < key.size(); ++i)
      json +=
          (i > 0 ? "," : "") + quote_json(stage.key_names[i]) + ":" + to_json(key[i], stage.keys[i]->type);
    send_error(place.first, row, json + "}", std::nullopt, stage.keyword, stage.span,
               typed::event_error_code(failure.error));
    return;
  }
  rows.push_back(std::move(row));
}

void Flow::fire_match(StagePlace place, int64_t due) {
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, due));
  std::vector<Event> rows;
  settle(place, due, rows);
  for (Event& row : rows) run(place.first, place.second + 1, std::move(row));
  firing_limits_ = outer;
}

}  // namespace mut::reference
