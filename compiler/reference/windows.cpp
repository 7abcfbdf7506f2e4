// Windows: who is late, what is due, and in which order results come.
#include <algorithm>
#include <utility>

#include "compiler/reference/flow.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::LatePolicy;
using typed::Stage;
using typed::StageKind;
using typed::WindowKind;

bool Flow::is_closed(StagePlace place, int64_t end, int64_t grace) const {
  const StageState& state = states_.at(place);
  int64_t now = std::max(state.closed, watermark(place.first, place.second));
  return end <= state.sealed || plus(end, grace) <= now;
}

Flow::Step Flow::windowed(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  Key key = key_of(stage.keys, event);
  Entry entry{event.time, {}};
  for (const typed::AggregateCall& call : stage.aggregates) entry.cells.push_back(admit(call, event));
  StageState& state = states_.at(place);
  Step out;
  // All that was due has fired before the event: what ends by now stays closed, whether it held something or
  // not.
  states_.at(place).closed = std::max(states_.at(place).closed, watermark(place.first, place.second));
  std::vector<Result> again;        // `late update`, `trigger on update`
  std::optional<Stretch> of_event;  // its session, where an event may open one again
  if (stage.window.kind != WindowKind::All) {
    bool missed = false;
    bool taken = false;
    for (auto [end, start] : fixed_windows(state.rules, event.time)) {
      bool closed = is_closed(place, end, 0);
      missed = missed || closed;
      taken = taken || !closed;
      bool kept = closed && stage.late == LatePolicy::Update && !is_closed(place, end, stage.late_within);
      if (kept || (!closed && stage.on_update)) again.push_back({{start, end}, key, {}, false});
    }
    if (in_session(state.rules, event.time)) {
      bool update = stage.late == LatePolicy::Update;
      if (update) drop_closed(place);
      Fired fired = update ? Fired::With : Fired::Without;
      std::vector<Entry> with_event = state.log[key];
      std::vector<Stretch> before = sessions(state.rules, with_event);
      with_event.push_back(entry);
      for (const Stretch& session : sessions(state.rules, with_event, fired)) {
        if (!in_session(state.rules, session, event.time)) continue;
        // It is closed only when no open one becomes part of it.
        bool joins = std::any_of(before.begin(), before.end(), [&](const Stretch& open) {
          return open.start >= session.start && open.end <= session.end;
        });
        bool closed = !joins && is_closed(place, session.end, 0);
        missed = missed || closed;
        taken = taken || !closed;
        bool kept = closed && update && !is_closed(place, session.end, stage.late_within);
        if (kept || (!closed && stage.on_update)) again.push_back({session, key, {}, true});
        if (update) of_event = session;
        entry.session_over = kept;
      }
    }
    if (missed) ++state.late;
    if (!taken && again.empty()) {
      if (state.log[key].empty()) state.log.erase(key);
      out.late = true;
      return out;
    }
  }
  try {
    check_own_windows(place, key, entry);
  } catch (const EventFailure&) {
    if (state.log[key].empty()) state.log.erase(key);
    throw;
  }
  state.log[key].push_back(entry);
  known_due_.erase(place);
  for (Entry& member : state.log[key]) {
    if (of_event && in_session(state.rules, *of_event, member.time)) member.session_over = entry.session_over;
  }
  plan_tick(place, event.time);
  for (Result& result : again) {
    const Stretch& window = result.window;
    for (const Entry& member : state.log[key]) {
      bool inside = member.time >= window.start && member.time < window.end;
      if (result.of_session ? in_session(state.rules, window, member.time) : inside)
        result.members.push_back(member);
    }
    give(place, result, minus(window.end, 1));
  }
  return out;
}

// Windows of a number of events are full at once; they know no watermark but for their `ttl`. The log has all
// events of a key, as they came.
Flow::Step Flow::counted(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  Key key = key_of(stage.keys, event);
  Entry entry{event.time, {}};
  for (const typed::AggregateCall& call : stage.aggregates) entry.cells.push_back(admit(call, event));
  Log& log = states_.at(place).log;
  auto forget_past = [&] {
    std::erase_if(log, [&](const auto& group) {
      return stage.ttl && std::all_of(group.second.begin(), group.second.end(), [&](const Entry& member) {
               bool to_tell = stage.ticks() && !member.told;
               return plus(member.time, *stage.ttl) < watermark(place.first, place.second) && !to_tell;
             });
    });
  };
  forget_past();
  auto known = log.find(key);
  std::vector<Entry> events = known == log.end() ? std::vector<Entry>() : known->second;
  events.push_back(std::move(entry));
  auto count = static_cast<int64_t>(events.size());
  int64_t ends_next = (count + stage.window.every - 1) / stage.window.every * stage.window.every;
  for (int64_t end = ends_next; end - stage.window.size < count; end += stage.window.every) {
    std::vector<Entry> members = counted_window(stage, events, end);
    for (size_t i = 0; i < stage.aggregates.size(); ++i) {
      if (stage.aggregates[i].own != nullptr) check_own(stage.aggregates[i], list_of(members, i));
    }
  }
  log[key] = events;
  plan_tick(place, event.time);
  // An edit may have made it smaller than what is there.
  bool tumbles = stage.window.every == stage.window.size;
  if (count == ends_next || (tumbles && count >= stage.window.size)) {
    for (Entry& each : log[key]) each.told = true;
    if (tumbles) log.erase(key);
    give_counted(place, key, tumbles ? events : counted_window(stage, events, count));
  } else if (stage.on_update) {
    give_counted(place, key, counted_window(stage, events, ends_next));
  }
  forget_past();
  return {};
}

// Something changed by an event of that time: the next multiple of `every` behind the watermark gives it;
// before there is one, and once the input has ended, behind the oldest such event.
void Flow::plan_tick(StagePlace place, int64_t time) {
  int64_t every = stage_at(place).trigger_every;
  StageState& state = states_.at(place);
  if (every == 0) return;
  int64_t now = watermark(place.first, place.second);
  bool flows = now != no_time && now != end_of_time;
  if (flows && state.tick != end_of_time) return;
  int64_t from = flows ? now : time;
  int64_t rest = from % every;
  int64_t tick = plus(from, every - (rest < 0 ? rest + every : rest));
  state.tick = std::min({state.tick, tick, end_of_time - 1});
}

// What there is of the window that ends with that event, counted from 1.
std::vector<Entry> Flow::counted_window(const Stage& stage, const std::vector<Entry>& events, int64_t end) {
  int64_t begin = std::max<int64_t>(end - stage.window.size, 0);
  if (stage.window.every == stage.window.size) begin = 0;  // what was given before is gone
  return {events.begin() + begin, events.begin() + std::min(end, static_cast<int64_t>(events.size()))};
}

bool Flow::is_told(const std::vector<Entry>& entries) {
  return std::all_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.told; });
}

void Flow::give_counted(StagePlace place, const Key& key, const std::vector<Entry>& members) {
  Stretch extent{members[0].time, members[0].time};
  for (const Entry& member : members) {
    extent.start = std::min(extent.start, member.time);
    extent.end = std::max(extent.end, member.time);
  }
  give(place, {extent, key, members, false}, extent.end);
}

// What is not full when no more can come. Those that only sources feed go before the windows that wait for
// the end, the others when these have given what they had.
void Flow::finish_counts(Rest rest, size_t ending) {
  for (auto& [place, state] : states_) {
    const Stage& stage = stage_at(place);
    if ((stage.kind != StageKind::Aggregate && !stage.hold) || stage.window.kind != WindowKind::Count)
      continue;
    if (waits_above(place.first, place.second) != (rest == Rest::OfResults)) continue;
    bool over = true;
    for (size_t source = 0; source < finished_.size(); ++source)
      over = over && (finished_[source] != 0 || source == ending ||
                      !held_back(place.first, place.second, Brake{static_cast<int>(source)}));
    if (!over) continue;
    if (stage.hold) finish_counted_rows(place);
    for (const auto& [key, events] : std::exchange(state.log, {})) {
      auto count = static_cast<int64_t>(events.size());
      // Of windows that do not overlap only what is not given yet is there: an edit may leave more than fit.
      bool tumbles = stage.window.every == stage.window.size;
      if ((!tumbles && count % stage.window.every == 0) || stage.on_update) continue;  // all was given
      if (stage.ticks() && is_told(events)) continue;
      give_counted(place, key,
                   counted_window(stage, events, (count / stage.window.every + 1) * stage.window.every));
    }
  }
}

bool Flow::waits_above(int stream, size_t stage) const {
  const typed::Stream& of = program_->streams[static_cast<size_t>(stream)];
  for (size_t k = 0; k < stage; ++k) {
    const Stage& at = of.stages[k];
    bool window = at.kind == StageKind::Aggregate && at.window.kind != WindowKind::Running &&
                  at.window.kind != WindowKind::Count;
    if (window || at.ticks() || at.kind == StageKind::Join || at.match) return true;
    if (at.hold && at.window.kind != WindowKind::Count) return true;
    if (at.process && !at.process->timers.empty()) return true;
  }
  return std::any_of(of.inputs.begin(), of.inputs.end(), [&](const typed::Input& input) {
    if (input.stream < 0) return false;
    return waits_above(input.stream, program_->streams[static_cast<size_t>(input.stream)].stages.size());
  });
}

// An event that an aggregate of the script cannot take fails, and its window never holds it.
void Flow::check_own_windows(StagePlace place, const Key& key, const Entry& entry) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  for (size_t i = 0; i < stage.aggregates.size(); ++i) {
    bool joins = in_session(state.rules, entry.time);  // also what a `where` lets go joins sessions
    if (stage.aggregates[i].own == nullptr || (!entry.cells[i] && !joins)) continue;
    auto check = [&](int64_t start, int64_t end) {
      std::vector<Entry> members;
      for (const Entry& member : state.log[key]) {
        if (member.time >= start && member.time < end) members.push_back(member);
      }
      members.push_back(entry);
      check_own(stage.aggregates[i], list_of(members, i));
    };
    if (stage.window.kind == WindowKind::All) check(no_time, end_of_time);
    if (in_session(state.rules, entry.time)) {
      std::vector<Entry> open = state.log[key];
      open.push_back(entry);
      if (stage.late != LatePolicy::Update)
        std::erase_if(open, [](const Entry& each) { return each.session_over; });
      check_own_sessions(stage.aggregates[i], session_events(open, i), stage.window.size);
    }
    for (auto [end, start] : fixed_windows(state.rules, entry.time)) check(start, end);
  }
}

// The next window to fire or the next tick, whether the watermark is there or not.
int64_t Flow::due(StagePlace place) const {
  const Stage& stage = stage_at(place);
  if (stage.kind == StageKind::Join) return next_unmatched(place);
  if (stage.match) return next_settled(place);
  if (!stage.follows.empty()) return next_forgotten(place);
  if (stage.process) return next_timer(place);
  if (stage.hold) return next_held(place);
  bool ticks = stage.trigger_every > 0 && !stage.on_update;
  return ticks ? std::min(next_close(place), states_.at(place).tick) : next_close(place);
}

int64_t Flow::next_close(StagePlace place) const {
  if (auto known = known_due_.find(place); known != known_due_.end()) return known->second;
  const StageState& state = states_.at(place);
  int64_t least = end_of_time;
  for (const auto& [key, entries] : state.log) {
    for (const Entry& entry : entries) {
      for (auto [end, start] : fixed_windows(state.rules, entry.time)) {
        if (end > state.closed) least = std::min(least, end);
      }
    }
    for (const Stretch& session : sessions(state.rules, entries)) least = std::min(least, session.end);
  }
  known_due_[place] = least;
  return least;
}

bool Flow::fires(StagePlace place) const {
  const Stage& stage = stage_at(place);
  if (stage.kind == StageKind::Join || stage.match || stage.process || !stage.follows.empty()) return true;
  if (stage.hold) return stage.window.kind != WindowKind::All;
  if (stage.ticks()) return true;
  return stage.kind == StageKind::Aggregate && stage.window.kind != WindowKind::Running &&
         stage.window.kind != WindowKind::Count && stage.window.kind != WindowKind::All;
}

// Everything that the watermarks have reached, by due time as of the sources, then in order of declaration. A
// param changes after the windows that end at its tick.
void Flow::fire_due() {
  while (true) {
    int64_t least = end_of_time;
    std::optional<StagePlace> chosen;
    for (const auto& [place, state] : states_) {
      if (!fires(place)) continue;
      int64_t end = due(place);
      if (end == end_of_time || end > watermark(place.first, place.second)) continue;
      int64_t at_sources = plus(end, held_back(place));
      if (at_sources >= least) continue;
      least = at_sources;
      chosen = place;
    }
    Pending* set = nullptr;
    size_t param = 0;
    for (size_t i = 0; i < pending_.size(); ++i) {
      int stream = program_->sets[i].stream;
      size_t end = program_->streams[static_cast<size_t>(stream)].stages.size();
      int64_t at_sources = plus(pending_[i].tick, held_back({stream, end}));
      if (!pending_[i].value || at_sources >= least || pending_[i].tick > watermark(stream, end)) continue;
      least = at_sources;
      set = &pending_[i];
      param = static_cast<size_t>(program_->sets[i].param);
    }
    if (set != nullptr) {
      params_[param] = *set->value;
      set->value.reset();
      continue;
    }
    if (!chosen) break;
    if (stage_at(*chosen).kind == StageKind::Join) {
      fire_join(*chosen, due(*chosen));
    } else if (!stage_at(*chosen).follows.empty()) {
      fire_forgotten(*chosen, due(*chosen));
    } else if (stage_at(*chosen).match) {
      fire_match(*chosen, due(*chosen));
    } else if (stage_at(*chosen).process) {
      fire_timer(*chosen, due(*chosen));
    } else if (stage_at(*chosen).hold) {
      fire_held(*chosen, due(*chosen));
    } else {
      fire(*chosen, due(*chosen));
    }
  }
  reach_all();
}

std::vector<Flow::Result> Flow::results_of(StagePlace place, int64_t end) {
  const StageState& state = states_.at(place);
  std::vector<Result> out;
  for (const auto& [key, entries] : state.log) {
    std::map<int64_t, std::vector<Entry>> by_start;
    for (const Entry& entry : entries) {
      for (auto [window_end, start] : fixed_windows(state.rules, entry.time)) {
        if (window_end != end) continue;
        by_start[start].push_back(entry);
        for (const auto& [cell, starts] : entry.gone) {
          if (starts.contains(start)) by_start[start].back().cells[cell].reset();
        }
      }
    }
    for (const Stretch& session : sessions(state.rules, entries)) {
      if (session.end != end) continue;
      Result result{session, key, {}, true};
      for (const Entry& entry : entries) {
        if (!entry.session_over && in_session(state.rules, session, entry.time))
          result.members.push_back(entry);
      }
      out.push_back(std::move(result));
    }
    for (auto& [start, members] : by_start) out.push_back({{start, end}, key, std::move(members), false});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Result& a, const Result& b) { return a.window.start < b.window.start; });
  return out;
}

// The same of what the windows of a number of events hold so far.
void Flow::fire_counted_tick(StagePlace place, int64_t tick) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  state.tick = end_of_time;
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, tick));
  for (auto& [key, events] : state.log) {
    bool told = is_told(events);
    for (Entry& entry : events) entry.told = true;
    auto count = static_cast<int64_t>(events.size());
    int64_t end = (count + stage.window.every - 1) / stage.window.every * stage.window.every;
    if (!told) give_counted(place, key, counted_window(stage, events, end));
  }
  firing_limits_ = outer;
}

// Results of all open windows for the groups that changed since the tick before.
void Flow::fire_tick(StagePlace place, int64_t tick) {
  StageState& state = states_.at(place);
  std::map<std::pair<int64_t, int64_t>, std::map<Key, Result, KeyLess>> windows;  // by end and start
  if (stage_at(place).window.kind == WindowKind::Count) return fire_counted_tick(place, tick);
  if (stage_at(place).ticks()) {
    for (const auto& [key, entries] : state.log)
      windows[{tick, tick}].try_emplace(key, Result{{}, key, entries, false});
  }
  for (const auto& [key, entries] : state.log) {
    for (const Entry& entry : entries) {
      for (auto [end, start] : fixed_windows(state.rules, entry.time)) {
        if (end <= state.closed) continue;
        Result& result =
            windows[{end, start}].try_emplace(key, Result{{start, end}, key, {}, false}).first->second;
        result.members.push_back(entry);
      }
    }
  }
  for (const auto& [key, entries] : state.log) {
    for (const Stretch& session : sessions(state.rules, entries)) {
      Result result{session, key, {}, true};
      for (const Entry& entry : entries) {
        if (!entry.session_over && in_session(state.rules, session, entry.time))
          result.members.push_back(entry);
      }
      windows[{session.end, session.start}].emplace(key, std::move(result));
    }
  }
  for (auto& [key, entries] : state.log) {
    for (Entry& entry : entries) entry.told = true;
  }
  state.tick = end_of_time;
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, tick));
  for (const auto& [window, groups] : windows) {
    for (const auto& [key, result] : groups) {
      bool news = std::any_of(result.members.begin(), result.members.end(),
                              [](const Entry& entry) { return !entry.told; });
      if (news) give(place, result, minus(window.first, 1));
    }
  }
  firing_limits_ = outer;
}

void Flow::fire(StagePlace place, int64_t end) {
  if (end < next_close(place)) return fire_tick(place, end);
  std::vector<Result> results = results_of(place, end);
  states_.at(place).closed = std::max(states_.at(place).closed, end);
  known_due_.erase(place);
  for (const Result& result : results) {
    for (Entry& entry : states_.at(place).log[result.key]) {
      if (result.of_session && in_session(states_.at(place).rules, result.window, entry.time))
        entry.session_over = true;
    }
  }
  drop_closed(place);
  if (stage_at(place).on_update) return;  // all was given when it changed
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, end));
  for (const Result& result : results) {
    // All was given at the last tick, when nothing has come since.
    bool news =
        stage_at(place).trigger_every == 0 || std::any_of(result.members.begin(), result.members.end(),
                                                          [](const Entry& entry) { return !entry.told; });
    if (news) give(place, result, minus(end, 1));
  }
  firing_limits_ = outer;
}

// One row; an error in it goes to `.errors` as keys and window, and the group goes on (rule 4.5).
void Flow::give(StagePlace place, const Result& result, int64_t time) {
  const Stage& stage = stage_at(place);
  Event row;
  row.time = time;
  row.origin = {cause_.source, cause_.position, ""};
  Scope scope;
  scope.params = &params_;
  scope.time = time;
  scope.arrival = clock_ == no_time ? 0 : clock_;
  scope.keys = &result.key;
  scope.window_start = result.window.start;
  scope.window_end = result.window.end;
  auto result_of = [&](size_t index) {
    const typed::AggregateCall& call = stage.aggregates[index];
    if (call.own != nullptr && result.of_session)
      return own_of_session(call, session_events(result.members, index), stage.window.size);
    return aggregate(call, list_of(result.members, index));
  };
  scope.aggregate = result_of;
  try {
    for (size_t i = 0; i < stage.aggregates.size(); ++i) {
      const typed::AggregateCall& call = stage.aggregates[i];
      // Added by an edit, after the last event of the row.
      bool must = call.result->kind != typed::Kind::Optional && !counts_nothing(call.fn);
      if (must && list_of(result.members, i).empty()) fail(typed::EventError::NoValue);
      if (call.own != nullptr) result_of(i);
    }
    for (const typed::Output& output : stage.outputs) row.fields.push_back(evaluate(*output.value, scope));
  } catch (const EventFailure& failure) {
    std::string json = "{";
    for (size_t i = 0; i < result.key.size(); ++i) {
      json += quote_json(stage.key_names[i]) + ":" + to_json(result.key[i], stage.keys[i]->type) + ",";
    }
    typed::TypeRef moment = program_->types->scalar(typed::Kind::Time);
    bool edges = stage.window.kind != WindowKind::All && stage.window.kind != WindowKind::Running;
    if (edges) {
      json += "\"window_start\":" + to_json(result.window.start, moment) +
              ",\"window_end\":" + to_json(result.window.end, moment) + ",";
    }
    if (json.ends_with(',')) json.pop_back();
    send_error(place.first, row, json + "}", std::nullopt, stage.keyword, stage.span,
               typed::event_error_code(failure.error));
    return;
  }
  run(place.first, place.second + 1, std::move(row));
}

void Flow::give_all(StagePlace place) {
  if (!stage_at(place).follows.empty()) return give_followed(place);
  for (const auto& [key, entries] : states_.at(place).log) {
    int64_t newest = no_time;
    for (const Entry& entry : entries) newest = std::max(newest, entry.time);
    if (!entries.empty()) give(place, {{}, key, entries, false}, newest);
  }
}

// Entries whose windows have all fired are no longer asked for; `late update` keeps them longer.
void Flow::drop_closed(StagePlace place) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  if (stage.window.kind == WindowKind::All || stage.window.kind == WindowKind::Count) return;
  int64_t grace = stage.late == LatePolicy::Update ? stage.late_within : 0;
  for (auto group = state.log.begin(); group != state.log.end();) {
    std::vector<Stretch> all =
        grace == 0 ? std::vector<Stretch>() : sessions(state.rules, group->second, Fired::With);
    auto is_kept = [&](const Entry& entry) {
      return std::any_of(all.begin(), all.end(), [&](const Stretch& session) {
        return in_session(state.rules, session, entry.time) && !is_closed(place, session.end, grace);
      });
    };
    std::erase_if(group->second, [&](const Entry& entry) {
      auto windows = fixed_windows(state.rules, entry.time);
      bool waits = in_session(state.rules, entry.time) && (!entry.session_over || is_kept(entry));
      return !waits && std::all_of(windows.begin(), windows.end(), [&](const auto& window) {
        return window.first <= state.closed && (grace == 0 || is_closed(place, window.first, grace));
      });
    });
    group = group->second.empty() ? state.log.erase(group) : std::next(group);
  }
}

}  // namespace mut::reference
