// Joins as nested loops: every row of one side is held against every row of the other.
#include "compiler/reference/joins.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "compiler/reference/flow.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::JoinKind;
using typed::Stage;

bool gives_alone(JoinKind kind, size_t side) {
  if (kind == JoinKind::Full) return true;
  if (side == 1) return kind == JoinKind::Right;
  return kind == JoinKind::Left || kind == JoinKind::Anti || kind == JoinKind::LeftAsof;
}

bool is_asof(JoinKind kind) { return kind == JoinKind::Asof || kind == JoinKind::LeftAsof; }

bool waits(JoinKind kind, size_t side) { return gives_alone(kind, side) || (is_asof(kind) && side == 0); }

bool finds_partners(const Key& key) {
  return std::none_of(key.begin(), key.end(), [](const Value& value) {
    return value.is_none() || (value.is_float() && std::isnan(value.as_float()));
  });
}

bool same_key(const Key& a, const Key& b) { return !KeyLess{}(a, b) && !KeyLess{}(b, a); }

int64_t join_delay(const typed::Join& join) {
  int64_t out = 0;
  if (gives_alone(join.kind, 0)) out = std::max(out, join.high);
  if (gives_alone(join.kind, 1)) out = std::max(out, -join.low);
  return out;
}

int64_t leaves(const typed::Join& join, size_t side, int64_t time) {
  return plus(plus(time, side == 0 ? join.high : -join.low), 1);
}

namespace {

// One row that leaves a join; null for a side that has none.
Value::Parts row_of(const Stage& stage, const Value::Parts* left, const Value::Parts* right) {
  Value::Parts out;
  for (size_t i = 0; i < stage.input->fields.size(); ++i)
    out.push_back(left == nullptr ? Value() : (*left)[i]);
  if (stage.output->fields.size() > out.size()) out.push_back(right == nullptr ? Value() : Value(*right));
  return out;
}

}  // namespace

Flow::Step Flow::join(StagePlace place, size_t side, const Event& event) {
  const Stage& stage = stage_at(place);
  const typed::Join& rule = *stage.join;
  if (is_asof(rule.kind)) return asof(place, side, event);
  JoinRow own;
  own.time = event.time;
  own.fields = event.fields;
  own.key = key_of(side == 0 ? stage.keys : rule.right_keys, event);
  bool joins = finds_partners(own.key);
  int64_t now = std::max(states_.at(place).closed, watermark(place.first, place.second));
  // Who fits: by key, by time, not let go yet, and by what else the script asks.
  std::vector<JoinRow>& others = states_.at(place).sides[1 - side];
  std::vector<size_t> found;
  for (size_t i = 0; joins && i < others.size(); ++i) {
    const JoinRow& left = side == 0 ? own : others[i];
    const JoinRow& right = side == 0 ? others[i] : own;
    __int128 apart = static_cast<__int128>(right.time) - left.time;
    if (!same_key(left.key, right.key) || apart < rule.low || apart > rule.high) continue;
    if (leaves(rule, 1 - side, others[i].time) <= now) continue;
    if (rule.condition) {
      Value::Parts pair = left.fields;
      pair.emplace_back(right.fields);
      Event of_pair = event;
      of_pair.fields = pair;
      Scope scope = scope_of(of_pair);
      if (!evaluate(*rule.condition, scope).as_bool()) continue;
    }
    found.push_back(i);
  }
  // From here on nothing fails.
  StageState& state = states_.at(place);
  state.closed = now;
  bool late = event.time < now;
  if (late) ++state.late;
  bool half = rule.kind == JoinKind::Semi || rule.kind == JoinKind::Anti;
  Step out;
  for (size_t i : found) {
    others[i].matched = true;
    bool once = half && side == 0 && i != found[0];
    if (rule.kind == JoinKind::Anti || once) continue;
    Event row = event;
    row.time = std::max(event.time, others[i].time);
    row.fields = side == 0 ? row_of(stage, &own.fields, &others[i].fields)
                           : row_of(stage, &others[i].fields, &own.fields);
    out.rows.push_back(std::move(row));
  }
  if (half && side == 1) std::erase_if(others, [](const JoinRow& row) { return row.matched; });
  own.matched = !found.empty();
  own.silent = late;
  bool kept = joins && leaves(rule, side, own.time) > now && !(half && side == 0 && own.matched);
  if (kept) {
    own.arrival = ++state.arrivals;
    std::vector<JoinRow>& mine = state.sides[side];
    auto behind = std::upper_bound(mine.begin(), mine.end(), own,
                                   [](const JoinRow& a, const JoinRow& b) { return a.time < b.time; });
    mine.insert(behind, own);
  } else if (gives_alone(rule.kind, side) && found.empty() && !late) {
    Event row = event;
    row.fields = row_of(stage, side == 0 ? &own.fields : nullptr, side == 0 ? nullptr : &own.fields);
    out.rows.push_back(std::move(row));
  }
  for (size_t each : {size_t{0}, size_t{1}}) {
    std::erase_if(state.sides[each], [&](const JoinRow& row) {
      bool waits = gives_alone(rule.kind, each) && !row.matched && !row.silent;
      return !waits && leaves(rule, each, row.time) <= now;
    });
  }
  return out;
}

// The newest row of the other side not later than a left one. `now`: what was replaced or has left by then is
// not seen.
std::vector<Event> Flow::decide_asof(StagePlace place, const JoinRow& left, int64_t now, const Event& cause) {
  const Stage& stage = stage_at(place);
  const typed::Join& rule = *stage.join;
  const std::vector<JoinRow>& rights = states_.at(place).sides[1];
  std::vector<Event> out;
  Event row = cause;
  row.time = left.time;
  const JoinRow* newer = nullptr;
  try {
    for (auto right = rights.rbegin(); right != rights.rend(); ++right) {
      if (!same_key(left.key, right->key)) continue;
      const JoinRow* next = std::exchange(newer, &*right);
      if (right->time > left.time || leaves(rule, 1, right->time) <= now) continue;
      __int128 apart = static_cast<__int128>(right->time) - left.time;
      if (apart < rule.low) continue;
      bool replaced = !rule.condition && next != nullptr && next->time <= now;
      if (replaced) break;
      if (rule.condition) {
        Event pair = row;
        pair.fields = left.fields;
        pair.fields.emplace_back(right->fields);
        Scope scope = scope_of(pair);
        if (!evaluate(*rule.condition, scope).as_bool()) continue;
      }
      row.fields = row_of(stage, &left.fields, &right->fields);
      return {row};
    }
  } catch (const EventFailure& failure) {
    row.fields = left.fields;
    send_error(place.first, row, to_json(Value(left.fields), stage.input), std::nullopt, stage.keyword,
               stage.span, typed::event_error_code(failure.error));
    return {};
  }
  bool late = now > left.time;
  if (rule.kind == JoinKind::Asof || late) return {};
  row.fields = row_of(stage, &left.fields, nullptr);
  return {row};
}

Flow::Step Flow::asof(StagePlace place, size_t side, const Event& event) {
  const Stage& stage = stage_at(place);
  const typed::Join& rule = *stage.join;
  JoinRow own;
  own.time = event.time;
  own.fields = event.fields;
  own.key = key_of(side == 0 ? stage.keys : rule.right_keys, event);
  StageState& state = states_.at(place);
  state.closed = std::max(state.closed, watermark(place.first, place.second));
  int64_t now = state.closed;
  bool late = own.time < now;
  if (late) ++state.late;
  Step out;
  if (!finds_partners(own.key)) {
    if (side == 0 && rule.kind == JoinKind::LeftAsof) {
      Event row = event;
      row.fields = row_of(stage, &own.fields, nullptr);
      out.rows.push_back(std::move(row));
    }
    return out;
  }
  if (side == 0 && late) {
    out.rows = decide_asof(place, own, now, event);
    return out;
  }
  std::vector<JoinRow>& mine = state.sides[side];
  std::erase_if(state.sides[0], [](const JoinRow& row) { return row.silent; });
  if (leaves(rule, side, own.time) <= now) return out;
  own.arrival = ++state.arrivals;
  auto behind = std::upper_bound(mine.begin(), mine.end(), own,
                                 [](const JoinRow& a, const JoinRow& b) { return a.time < b.time; });
  mine.insert(behind, own);
  return out;
}

void Flow::join_right(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  Step made;
  try {
    made = join(place, 1, event);
  } catch (const EventFailure& failure) {
    send_error(place.first, event, to_json(Value(event.fields), stage.join->right_type), std::nullopt, "join",
               stage.span, typed::event_error_code(failure.error));
    return;
  }
  for (Event& row : made.rows) run(place.first, place.second + 1, std::move(row));
}

int64_t Flow::next_unmatched(StagePlace place) const {
  const typed::Join& rule = *stage_at(place).join;
  int64_t least = end_of_time;
  for (size_t side : {size_t{0}, size_t{1}}) {
    for (const JoinRow& row : states_.at(place).sides[side]) {
      if (!waits(rule.kind, side) || row.matched || row.silent) continue;
      least = std::min(least, leaves(rule, side, row.time));
    }
  }
  return least;
}

// At one instant by key, left before right, by arrival.
void Flow::fire_join(StagePlace place, int64_t due) {
  const Stage& stage = stage_at(place);
  const typed::Join& rule = *stage.join;
  struct Alone {
    size_t side;
    JoinRow row;
  };
  std::vector<Alone> alone;
  for (size_t side : {size_t{0}, size_t{1}}) {
    for (JoinRow& row : states_.at(place).sides[side]) {
      if (!waits(rule.kind, side) || row.matched || row.silent) continue;
      if (leaves(rule, side, row.time) != due) continue;
      row.silent = true;
      alone.push_back({side, row});
    }
  }
  std::stable_sort(alone.begin(), alone.end(), [](const Alone& a, const Alone& b) {
    if (!same_key(a.row.key, b.row.key)) return KeyLess{}(a.row.key, b.row.key);
    if (a.side != b.side) return a.side < b.side;
    return a.row.arrival < b.row.arrival;
  });
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, due));
  for (const Alone& each : alone) {
    Event row;
    row.time = each.row.time;
    row.origin = {cause_.source, cause_.position, ""};
    if (is_asof(rule.kind)) {
      for (Event& made : decide_asof(place, each.row, each.row.time, row))
        run(place.first, place.second + 1, made);
      continue;
    }
    row.fields = row_of(stage, each.side == 0 ? &each.row.fields : nullptr,
                        each.side == 0 ? nullptr : &each.row.fields);
    run(place.first, place.second + 1, std::move(row));
  }
  firing_limits_ = outer;
}

}  // namespace mut::reference
