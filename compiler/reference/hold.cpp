// Stages that keep whole rows: each is a list of rows, looked through as a whole whenever something may be
// due.
#include <algorithm>
#include <utility>

#include "compiler/reference/flow.h"

namespace mut::reference {

using typed::HoldKind;
using typed::Stage;
using typed::WindowKind;

namespace {

bool by_window(const Stage& stage) {
  return stage.hold->kind == HoldKind::Sort || stage.hold->kind == HoldKind::Top;
}

// Order keys; none comes last, whichever way the others go.
int compare_order(const Stage& stage, const HeldRow& a, const HeldRow& b) {
  for (size_t i = 0; i < a.order.size(); ++i) {
    if (a.order[i].is_none() != b.order[i].is_none()) return b.order[i].is_none() ? -1 : 1;
    if (a.order[i].is_none()) continue;
    int order = total_order(a.order[i], b.order[i]);
    if (order != 0) return stage.hold->order[i].descending ? -order : order;
  }
  return 0;
}

bool before(const Stage& stage, const HeldRow& a, const HeldRow& b) {
  int order = compare_order(stage, a, b);
  return order != 0 ? order < 0 : std::pair(a.time, a.arrival) < std::pair(b.time, b.arrival);
}

// The rank of each row of a key, all of them in order: that of its place, or of the first row that it ties
// with.
std::vector<int64_t> ranks_of(const Stage& stage, const std::vector<HeldRow>& in_order) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < in_order.size(); ++i) {
    bool ties = stage.hold->ties == typed::Ties::Shared && i > 0 &&
                compare_order(stage, in_order[i - 1], in_order[i]) == 0;
    out.push_back(ties ? out.back() : static_cast<int64_t>(i) + 1);
  }
  return out;
}

bool same_key(const HeldRow& a, const HeldRow& b) {
  return !KeyLess{}(a.key, b.key) && !KeyLess{}(b.key, a.key);
}

bool over_sessions(const Stage& stage) {
  return by_window(stage) && stage.window.kind == WindowKind::Session;
}
bool over_counts(const Stage& stage) { return by_window(stage) && stage.window.kind == WindowKind::Count; }

struct HeldSession {
  Stretch window;
  std::vector<size_t> rows;  // indices
};
// Rows of a key, less than the gap apart.
std::vector<HeldSession> sessions_of(const Stage& stage, const std::vector<HeldRow>& rows) {
  std::map<Key, std::vector<size_t>, KeyLess> keys;
  for (size_t i = 0; i < rows.size(); ++i) keys[rows[i].key].push_back(i);
  std::vector<HeldSession> out;
  for (auto& [key, of_key] : keys) {
    std::stable_sort(of_key.begin(), of_key.end(),
                     [&](size_t a, size_t b) { return rows[a].time < rows[b].time; });
    bool first = true;
    for (size_t i : of_key) {
      if (first || rows[i].time >= out.back().window.end) out.push_back({{rows[i].time, 0}, {}});
      first = false;
      out.back().window.end = plus(rows[i].time, stage.window.size);
      out.back().rows.push_back(i);
    }
  }
  return out;
}

// Windows of a stage that hold a moment; `all` is one without edges.
std::vector<Stretch> windows_of(const Stage& stage, int64_t time) {
  if (stage.window.kind == WindowKind::All || stage.hold->kind == HoldKind::Ranking) return {Stretch{}};
  std::vector<Stretch> out;
  for (auto [end, start] : fixed_windows({{stage.window}}, time)) out.push_back({start, end});
  return out;
}

}  // namespace

// At a cut `top` has no more than it was asked for: the rest does not come back when more are.
void let_go_of_rest(const Stage& stage, std::vector<HeldRow>& rows) {
  std::map<std::pair<Stretch, Key>, std::vector<HeldRow*>, decltype([](const auto& a, const auto& b) {
             return a.first != b.first ? a.first < b.first : KeyLess{}(a.second, b.second);
           })>
      groups;
  if (over_sessions(stage)) {  // whatever they become later
    for (const HeldSession& session : sessions_of(stage, rows)) {
      for (size_t i : session.rows) {
        if (rows[i].let_go.empty()) groups[{session.window, rows[i].key}].push_back(&rows[i]);
      }
    }
  }
  for (HeldRow& row : rows) {
    if (over_sessions(stage) || over_counts(stage)) continue;
    for (const Stretch& window : windows_of(stage, row.time)) {
      if (!row.let_go.contains(window)) groups[{window, row.key}].push_back(&row);
    }
  }
  for (auto& [group, best] : groups) {
    std::sort(best.begin(), best.end(),
              [&](const HeldRow* a, const HeldRow* b) { return before(stage, *a, *b); });
    std::vector<HeldRow> in_order;
    for (const HeldRow* row : best) in_order.push_back(*row);
    std::vector<int64_t> ranks = ranks_of(stage, in_order);
    for (size_t i = 0; i < best.size(); ++i) {
      if (ranks[i] > stage.hold->count)
        best[i]->let_go.insert(over_sessions(stage) ? Stretch{} : group.first);
    }
  }
}

Flow::Step Flow::hold(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  HeldRow row;
  row.key = key_of(stage.keys, event);
  Scope scope = scope_of(event);
  for (const typed::OrderKey& key : stage.hold->order) row.order.push_back(evaluate(*key.value, scope));
  row.fields = event.fields;
  row.time = event.time;
  row.arrival = ++state.arrivals;
  int64_t now = watermark(place.first, place.second);
  Step out;
  if (over_counts(stage)) return count_held(place, std::move(row));
  if (over_sessions(stage)) {
    bool falls_into_one = std::any_of(state.held.begin(), state.held.end(), [&](const HeldRow& other) {
      int64_t apart = other.time < row.time ? minus(row.time, other.time) : minus(other.time, row.time);
      return same_key(other, row) && apart < stage.window.size;
    });
    if (!falls_into_one && plus(row.time, stage.window.size) <= std::max(state.closed, now)) {
      ++state.late;
      return out;
    }
    state.held.push_back(std::move(row));
    return out;
  }
  if (by_window(stage)) {
    if (stage.window.kind != WindowKind::All) {
      bool taken = false;
      bool missed = false;
      for (auto [end, start] : fixed_windows({{stage.window}}, event.time)) {
        bool closed = end <= std::max(state.closed, now);
        if (closed) row.let_go.insert({start, end});
        missed = missed || closed;
        taken = taken || !closed;
      }
      if (missed) ++state.late;
      if (!taken) return out;
    }
    state.held.push_back(std::move(row));
    return out;
  }
  if (stage.hold->kind == HoldKind::Ranking) {
    row.due = end_of_time;
    return ranked(place, std::move(row));
  }
  row.due = plus(event.time, stage.hold->span);
  if (stage.hold->kind == HoldKind::Debounce) {
    auto known = std::find_if(state.held.begin(), state.held.end(), [&](const HeldRow& other) {
      return !KeyLess{}(other.key, row.key) && !KeyLess{}(row.key, other.key);
    });
    if (known != state.held.end()) {
      ++state.dropped;
      if (known->time > row.time) return out;  // the last one of a burst, by event time
      state.held.erase(known);
    }
  }
  if (row.due <= now) {
    out.rows.push_back(held_event(stage, row, 0, {}, row.due));
    return out;
  }
  state.held.push_back(std::move(row));
  return out;
}

// Each `every`-th row of a key gives its last ones, as many as the window has.
Flow::Step Flow::count_held(StagePlace place, HeldRow row) {
  const Stage& stage = stage_at(place);
  std::vector<HeldRow>& held = states_.at(place).held;
  row.number =
      1 + std::count_if(held.begin(), held.end(), [&](const HeldRow& other) { return same_key(other, row); });
  held.push_back(row);
  Step out;
  if (row.number % stage.window.every == 0) out.rows = counted_rows(place, row.key, row.number);
  return out;
}

// The window of a key that ends with its row of that number, as far as it has come.
std::vector<Event> Flow::counted_rows(StagePlace place, const Key& key, int64_t end) const {
  const Stage& stage = stage_at(place);
  std::vector<HeldRow> rows;
  Stretch window{end_of_time, no_time};
  for (const HeldRow& row : states_.at(place).held) {
    bool of_key = !KeyLess{}(row.key, key) && !KeyLess{}(key, row.key);
    if (!of_key || row.number > end || row.number <= end - stage.window.size) continue;
    window = {std::min(window.start, row.time), std::max(window.end, row.time)};
    rows.push_back(row);
  }
  return held_events(place, std::move(rows), window, window.end);
}

// At the end of its input: what is not full.
void Flow::finish_counted_rows(StagePlace place) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  std::map<Key, int64_t, KeyLess> counts;
  for (const HeldRow& row : state.held) counts[row.key] = row.number;
  for (const auto& [key, count] : counts) {
    if (count % stage.window.every == 0) continue;
    for (Event& row : counted_rows(place, key, (count / stage.window.every + 1) * stage.window.every))
      run(place.first, place.second + 1, std::move(row));
  }
  state.held.clear();
}

// The best of the key without the new row, and with it: what stands at another rank is told.
Flow::Step Flow::ranked(StagePlace place, HeldRow row) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  auto best = [&] {
    std::vector<HeldRow> out;
    for (const HeldRow& other : state.held) {
      if (!KeyLess{}(other.key, row.key) && !KeyLess{}(row.key, other.key)) out.push_back(other);
    }
    std::sort(out.begin(), out.end(),
              [&](const HeldRow& a, const HeldRow& b) { return before(stage, a, b); });
    if (out.size() > static_cast<size_t>(stage.hold->count))
      out.resize(static_cast<size_t>(stage.hold->count));
    return out;
  };
  std::vector<HeldRow> then = best();
  state.held.push_back(row);
  std::vector<HeldRow> now = best();
  Step out;
  for (size_t i = 0; i < now.size(); ++i) {
    if (i < then.size() && then[i].arrival == now[i].arrival) continue;
    out.rows.push_back(held_event(stage, now[i], static_cast<int64_t>(i) + 1, {}, row.time));
  }
  std::erase_if(state.held, [&](const HeldRow& other) {
    bool same_key = !KeyLess{}(other.key, row.key) && !KeyLess{}(row.key, other.key);
    return same_key && std::none_of(now.begin(), now.end(),
                                    [&](const HeldRow& kept) { return kept.arrival == other.arrival; });
  });
  return out;
}

Event Flow::held_event(const Stage& stage, const HeldRow& row, int64_t rank, const Stretch& window,
                       int64_t time) const {
  Event out;
  out.fields = row.fields;
  out.time = time;
  out.origin = {cause_.source, cause_.position, ""};
  for (size_t i = stage.input->fields.size(); i < stage.output->fields.size(); ++i) {
    const std::string& name = stage.output->fields[i].name;
    out.fields.emplace_back(name == "rank" ? rank : name == "window_start" ? window.start : window.end);
  }
  return out;
}

int64_t Flow::next_held(StagePlace place) const {
  const Stage& stage = stage_at(place);
  const StageState& state = states_.at(place);
  int64_t least = end_of_time;
  if (over_counts(stage)) return least;
  if (over_sessions(stage)) {
    for (const HeldSession& session : sessions_of(stage, state.held))
      least = std::min(least, session.window.end);
    return least;
  }
  for (const HeldRow& row : state.held) {
    if (!by_window(stage)) {
      least = std::min(least, row.due);
    } else if (stage.window.kind != WindowKind::All) {
      for (auto [end, start] : fixed_windows({{stage.window}}, row.time)) {
        if (end > state.closed) least = std::min(least, end);
      }
    }
  }
  return least;
}

// The rows of one window: in order, of `top` the best of each key.
void Flow::give_held(StagePlace place, std::vector<HeldRow> rows, const Stretch& window, int64_t time) {
  for (Event& row : held_events(place, std::move(rows), window, time))
    run(place.first, place.second + 1, std::move(row));
}

std::vector<Event> Flow::held_events(StagePlace place, std::vector<HeldRow> rows, const Stretch& window,
                                     int64_t time) const {
  const Stage& stage = stage_at(place);
  std::vector<Event> out;
  Stretch mark = over_sessions(stage) ? Stretch{} : window;
  std::erase_if(rows, [&](const HeldRow& row) { return row.let_go.contains(mark); });
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const HeldRow& a, const HeldRow& b) { return before(stage, a, b); });
  std::map<Key, std::vector<HeldRow>, KeyLess> groups;
  for (HeldRow& row : rows)
    groups[stage.hold->kind == HoldKind::Top ? row.key : Key{}].push_back(std::move(row));
  for (const auto& [key, best] : groups) {
    std::vector<int64_t> ranks = ranks_of(stage, best);
    for (size_t i = 0; i < best.size(); ++i) {
      if (stage.hold->kind == HoldKind::Top && ranks[i] > stage.hold->count) break;
      out.push_back(held_event(stage, best[i], ranks[i], window, time));
    }
  }
  return out;
}

void Flow::fire_held(StagePlace place, int64_t due) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, due));
  if (!by_window(stage)) {
    std::vector<HeldRow> rows;
    for (const HeldRow& row : state.held) {
      if (row.due == due) rows.push_back(row);
    }
    std::erase_if(state.held, [&](const HeldRow& row) { return row.due == due; });
    std::stable_sort(rows.begin(), rows.end(),
                     [](const HeldRow& a, const HeldRow& b) { return a.arrival < b.arrival; });
    for (const HeldRow& row : rows) run(place.first, place.second + 1, held_event(stage, row, 0, {}, due));
    firing_limits_ = outer;
    return;
  }
  std::map<Stretch, std::vector<HeldRow>> windows;
  std::set<size_t> gone;
  if (over_sessions(stage)) {
    for (const HeldSession& session : sessions_of(stage, state.held)) {
      for (size_t i : session.rows) {
        if (session.window.end != due) continue;
        windows[session.window].push_back(state.held[i]);
        gone.insert(i);
      }
    }
  }
  for (const HeldRow& row : state.held) {
    if (over_sessions(stage)) break;
    for (auto [end, start] : fixed_windows({{stage.window}}, row.time)) {
      if (end == due) windows[{start, end}].push_back(row);
    }
  }
  state.closed = std::max(state.closed, due);
  std::erase_if(state.held, [&](const HeldRow& row) {
    if (over_sessions(stage)) return gone.contains(static_cast<size_t>(&row - state.held.data()));
    auto all = fixed_windows({{stage.window}}, row.time);
    return std::all_of(all.begin(), all.end(), [&](const auto& window) { return window.first <= due; });
  });
  for (auto& [window, rows] : windows) give_held(place, std::move(rows), window, due - 1);
  firing_limits_ = outer;
}

void Flow::finish_held(StagePlace place) {
  std::vector<HeldRow> rows = std::exchange(states_.at(place).held, {});
  int64_t newest = no_time;
  for (const HeldRow& row : rows) newest = std::max(newest, row.time);
  give_held(place, std::move(rows), {}, newest);
}

}  // namespace mut::reference
