// Tables as lists of the rows of each key.
#include "compiler/reference/tables.h"

#include <algorithm>
#include <cmath>

#include "compiler/reference/flow.h"

namespace mut::reference {

using typed::EventError;
using typed::Stage;

namespace {

// The watermark that a table goes by: the end of the input lets nothing go.
void see(StageState& state, int64_t watermark) {
  if (watermark != end_of_time) state.closed = std::max(state.closed, watermark);
}

bool is_over(const Stage& table, const StageState& state, int64_t replaced) {
  return replaced <= state.over_upto || plus(replaced, table.versioned) <= state.closed;
}

}  // namespace

bool is_gone(const Stage& table, const StageState& state, int64_t time) {
  return time < state.gone_before || (table.ttl && plus(time, *table.ttl) < state.closed);
}

bool put_row(const Stage& table, JoinRow row, std::vector<JoinRow>& rows) {
  bool newest = rows.empty() || table.newest == typed::Newest::ByArrival || row.time >= rows.back().time;
  if (newest) {
    if (table.versioned == 0) rows.clear();
    rows.push_back(std::move(row));
  } else if (table.versioned > 0) {
    auto behind = std::upper_bound(rows.begin(), rows.end(), row,
                                   [](const JoinRow& a, const JoinRow& b) { return a.time < b.time; });
    rows.insert(behind, std::move(row));
  }
  return newest;
}

std::vector<JoinRow> rows_left(const Stage& table, const StageState& state) {
  std::vector<JoinRow> out;
  for (const auto& [key, rows] : state.rows) {
    if (rows.empty() || is_gone(table, state, rows.back().time)) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      bool replaced = i + 1 < rows.size();
      if (replaced && (table.versioned == 0 || is_over(table, state, rows[i + 1].time))) continue;
      out.push_back(rows[i]);
    }
  }
  std::sort(out.begin(), out.end(), [](const JoinRow& a, const JoinRow& b) { return a.arrival < b.arrival; });
  return out;
}

Flow::Step Flow::put(StagePlace place, const Event& event) {
  const Stage& table = stage_at(place);
  Key key = key_of(table.keys, event);
  if (std::any_of(key.begin(), key.end(), [](const Value& value) { return value.is_none(); }))
    fail(EventError::NoKey);
  StageState& state = states_.at(place);
  see(state, watermark(place.first, place.second));
  if (is_gone(table, state, event.time)) return {};
  std::vector<JoinRow>& rows = state.rows[key];
  if (!rows.empty() && is_gone(table, state, rows.back().time)) rows.clear();
  JoinRow row;
  row.time = event.time;
  row.arrival = ++state.arrivals;
  row.key = key;
  row.fields = event.fields;
  bool newest = put_row(table, std::move(row), rows);
  Step out;
  if (newest) out.rows.push_back(event);
  return out;
}

// The row as it stands when the event arrives, or as it stood at a time.
Flow::Step Flow::look_up(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  const typed::Join& join = *stage.join;
  const auto& stages = program_->streams[static_cast<size_t>(join.right)].stages;
  const Stage& table = stages.back();
  StageState& state = states_.at({join.right, stages.size() - 1});
  see(state, watermark(join.right, stages.size() - 1));
  Key key = key_of(stage.keys, event);
  Scope scope = scope_of(event);
  int64_t when = join.as_of ? evaluate(*join.as_of, scope).as_int() : end_of_time;
  bool can_equal = std::none_of(key.begin(), key.end(), [](const Value& value) {
    return value.is_none() || (value.is_float() && std::isnan(value.as_float()));
  });
  const JoinRow* found = nullptr;
  auto known = state.rows.find(key);
  if (can_equal && known != state.rows.end() && !is_gone(table, state, known->second.back().time)) {
    const std::vector<JoinRow>& rows = known->second;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].time > when && when != end_of_time) break;
      bool over = when != end_of_time && i + 1 < rows.size() && is_over(table, state, rows[i + 1].time);
      found = over ? nullptr : &rows[i];
    }
  }
  if (found != nullptr && join.condition) {
    Event pair = event;
    pair.fields.emplace_back(found->fields);
    Scope of_pair = scope_of(pair);
    if (!evaluate(*join.condition, of_pair).as_bool()) found = nullptr;
  }
  Step out;
  if (found == nullptr && join.kind == typed::JoinKind::Lookup) return out;
  Event row = event;
  row.fields.push_back(found == nullptr ? Value() : Value(found->fields));
  out.rows.push_back(std::move(row));
  return out;
}

}  // namespace mut::reference
