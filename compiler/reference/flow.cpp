#include "compiler/reference/flow.h"

#include <algorithm>

#include "compiler/reference/joins.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::StageKind;
using typed::StreamKind;
using typed::WindowKind;

Flow::Flow(std::shared_ptr<const typed::Program> program, std::function<int(source::Span)> line,
           std::function<void(size_t, const Event&)> emit)
    : program_(std::move(program)), line_(std::move(line)), emit_(std::move(emit)) {
  for (const typed::Param& param : program_->params) params_.push_back(from_const(param.value, param.type));
  pending_.resize(program_->sets.size());
  newest_.assign(program_->sources.size(), no_time);
  watermarks_.assign(program_->sources.size(), no_time);
  reached_.sources.assign(program_->sources.size(), no_time);
  finished_.assign(program_->sources.size(), 0);
  silent_since_.assign(program_->sources.size(), no_time);
  idle_.assign(program_->sources.size(), 0);
  for (size_t i = 0; i < program_->streams.size(); ++i) {
    const typed::Stream& stream = program_->streams[i];
    for (size_t k = 0; k < stream.stages.size(); ++k) {
      const typed::Stage& stage = stream.stages[k];
      if (!stage.stateful()) continue;
      StageState& state = states_[{static_cast<int>(i), k}];
      state.histories.resize(stage.histories.size());
      if (stage.kind == StageKind::Aggregate) state.rules.push_back({stage.window});
    }
  }
  connect();
}

// Who reads what, in order of declaration.
void Flow::connect() {
  size_t count = program_->streams.size();
  readers_.resize(count);
  auto read = [&](int stream, Reader reader) {
    if (stream >= 0) readers_[static_cast<size_t>(stream)].push_back(reader);
  };
  for (size_t i = 0; i < count; ++i) {
    const typed::Stream& stream = program_->streams[i];
    for (size_t k = 0; stream.kind == StreamKind::Pipeline && k < stream.inputs.size(); ++k)
      read(stream.inputs[k].stream, {Reader::Kind::Stream, stream.span.begin, i, k});
    for (size_t k = 0; k < stream.stages.size(); ++k) {
      if (stream.stages[k].kind == StageKind::Join)
        read(stream.stages[k].join->right, {Reader::Kind::Join, stream.span.begin, i, k});
    }
  }
  for (size_t i = 0; i < program_->routes.size(); ++i)
    read(program_->routes[i].input, {Reader::Kind::Route, program_->routes[i].span.begin, i, 0});
  for (size_t i = 0; i < program_->emits.size(); ++i)
    read(program_->emits[i].stream, {Reader::Kind::Emit, program_->emits[i].span.begin, i, 0});
  for (size_t i = 0; i < program_->sets.size(); ++i)
    read(program_->sets[i].stream, {Reader::Kind::Set, program_->sets[i].span.begin, i, 0});
  for (std::vector<Reader>& readers : readers_) {
    std::stable_sort(readers.begin(), readers.end(),
                     [](const Reader& a, const Reader& b) { return a.declared < b.declared; });
  }
}

const typed::Stage& Flow::stage_at(StagePlace place) const {
  return program_->streams[static_cast<size_t>(place.first)].stages[place.second];
}

// Least watermark of what comes in; held back by `window all` stages whose rows are still to come, by joins
// that give rows late, and by what flows right now (rule 8.5).
int64_t Flow::watermark(int stream, size_t stage) const {
  int64_t out = least_above(stream, stage, Silent::LeftOut);
  return out == end_of_time ? least_above(stream, stage, Silent::Counted) : out;
}

int64_t Flow::least_above(int stream, size_t stage, Silent silent) const {
  const typed::Stream& of = program_->streams[static_cast<size_t>(stream)];
  int64_t out = end_of_time;
  bool counts = of.kind == StreamKind::Source &&
                (silent == Silent::Counted || idle_[static_cast<size_t>(of.source)] == 0);
  if (counts) {
    auto source = static_cast<size_t>(of.source);
    if (!finished_[source]) out = watermarks_[source];
    if (!firing_limits_.sources.empty()) out = std::min(out, firing_limits_.sources[source]);
  }
  auto end_of = [&](int above) {
    return least_above(above, program_->streams[static_cast<size_t>(above)].stages.size(), silent);
  };
  for (const typed::Input& input : of.inputs) {
    if (input.stream >= 0) out = std::min(out, end_of(input.stream));
  }
  for (size_t k = 0; k <= stage && k < of.stages.size(); ++k) {
    const typed::Stage& at = of.stages[k];
    if (at.kind == StageKind::Join) out = std::min(out, end_of(at.join->right));
    if (k == stage) break;
    if (waits_for_end({stream, k})) {
      if (!states_.at({stream, k}).settled) return no_time;
      auto limit = firing_limits_.ends.find({stream, k});
      if (limit != firing_limits_.ends.end()) out = std::min(out, limit->second);
    }
    if (at.kind == StageKind::Join && out != no_time && out != end_of_time)
      out = minus(out, join_delay(*at.join));
    if (at.match && out != no_time && out != end_of_time) out = minus(out, at.match->within);
  }
  return out;
}

bool Flow::waits_for_end(StagePlace place) const {
  const typed::Stage& stage = stage_at(place);
  return (stage.kind == StageKind::Aggregate || stage.hold) && stage.window.kind == WindowKind::All;
}

std::optional<int64_t> Flow::held_back(int stream, size_t stage, const Brake& by) const {
  const typed::Stream& of = program_->streams[static_cast<size_t>(stream)];
  std::optional<int64_t> out;
  if (of.kind == StreamKind::Source && of.source == by.source) out = 0;
  auto join_with = [&](int above) {
    auto other = held_back(above, program_->streams[static_cast<size_t>(above)].stages.size(), by);
    if (other) out = std::max(out.value_or(0), *other);
  };
  for (const typed::Input& input : of.inputs) {
    if (input.stream >= 0) join_with(input.stream);
  }
  for (size_t k = 0; k <= stage && k < of.stages.size(); ++k) {
    if (k < stage && by.end == StagePlace{stream, k}) out = out.value_or(0);
    if (of.stages[k].match && k < stage && out) out = plus(*out, of.stages[k].match->within);
    if (of.stages[k].kind != StageKind::Join) continue;
    join_with(of.stages[k].join->right);
    if (k < stage && out) out = plus(*out, join_delay(*of.stages[k].join));
  }
  return out;
}

int64_t Flow::held_back(StagePlace place) const {
  int64_t out = 0;
  for (size_t source = 0; source < program_->sources.size(); ++source)
    out = std::max(out, held_back(place.first, place.second, Brake{static_cast<int>(source)}).value_or(0));
  return out;
}

Flow::Limits Flow::limits_while_firing(StagePlace place, int64_t due) {
  Limits out;
  auto limit_of = [&](const Brake& by, int64_t watermark, int64_t& reached) {
    int64_t delay = held_back(place.first, place.second, by).value_or(held_back(place));
    int64_t limit = minus(plus(due, delay), 1);
    // A timer may be set to a time that has passed; no watermark goes back for it.
    if (stage_at(place).process) limit = std::max(limit, reached);
    reached = std::max(reached, std::min(limit, watermark));
    return limit;
  };
  for (size_t source = 0; source < program_->sources.size(); ++source) {
    Brake by{static_cast<int>(source)};
    out.sources.push_back(limit_of(by, watermark_of(source), reached_.sources[source]));
  }
  for (const auto& [end, state] : states_) {
    if (!waits_for_end(end)) continue;
    int64_t& reached = reached_.ends.try_emplace(end, no_time).first->second;
    out.ends[end] = limit_of(Brake{-1, end}, state.settled ? end_of_time : no_time, reached);
  }
  return out;
}

void Flow::reach_all() {
  for (size_t source = 0; source < reached_.sources.size(); ++source)
    reached_.sources[source] = std::max(reached_.sources[source], watermark_of(source));
  for (const auto& [end, state] : states_) {
    if (waits_for_end(end) && state.settled) reached_.ends[end] = end_of_time;
  }
}

int64_t Flow::watermark_of(size_t source) const {
  return finished_[source] != 0 ? end_of_time : watermarks_[source];
}

uint64_t Flow::late_count(const std::string& path) const {
  for (const auto& [place, state] : states_) {
    const typed::Stream& stream = program_->streams[static_cast<size_t>(place.first)];
    if (stream.name + "/" + stream.stages[place.second].name == path) return state.late;
  }
  return 0;
}

void Flow::accept(size_t source, Record record) {
  const typed::Source& from = program_->sources[source];
  Event event;
  event.origin = {from.name, record.position, record.input};
  cause_ = event.origin;
  silent_since_[source] = clock_;
  if (idle_[source] != 0) watermarks_[source] = woken(source);
  idle_[source] = 0;
  if (!record.fields || record.is_future) {  // moves no watermark (rule 4.10)
    fire_due();                              // timers that were set too late
    event.time = std::max(newest_[source], int64_t{0});
    bool shown = record.has_raw && !typed::has_secret(from.type);
    send_error(
        from.stream, event, "null", shown ? std::optional(record.raw) : std::nullopt, "decode", from.span,
        typed::event_error_code(record.is_future ? typed::EventError::Future : typed::EventError::Decode));
    ++cause_.position;
    return;
  }
  newest_[source] = std::max(newest_[source], record.time);
  watermarks_[source] = std::max(watermarks_[source], minus(newest_[source], from.lateness));
  fire_due();
  event.fields = std::move(*record.fields);
  event.time = record.time;
  run(from.stream, 0, std::move(event));
  ++cause_.position;  // what comes by time or by the end of the input alone comes before the next record
}

void Flow::finish_source(size_t source) {
  fire_due();                              // timers that the last event has set to what had passed
  finish_counts(Rest::OfSources, source);  // before its watermark is the end of time
  finished_[source] = 1;
  fire_due();
  finish_counts(Rest::OfResults, source);
  fire_due();
}

// Silent for as long as it may be, a source holds nothing back; where nothing else does, the clock is its
// watermark.
void Flow::set_clock(int64_t now_ns) {
  clock_ = now_ns;
  for (size_t i = 0; i < program_->sources.size(); ++i) {
    const typed::Source& source = program_->sources[i];
    if (silent_since_[i] == no_time) silent_since_[i] = now_ns;
    if (!source.idle || finished_[i] != 0 || now_ns - silent_since_[i] < *source.idle) continue;
    idle_[i] = 1;
    watermarks_[i] = std::max(watermarks_[i], minus(now_ns, source.lateness));
  }
  fire_due();
}

// No stage sees its watermark go back.
int64_t Flow::woken(size_t source) const {
  int64_t seen = watermarks_[source];
  auto keep = [&](int stream, size_t stage) {
    auto delay = held_back(stream, stage, Brake{static_cast<int>(source)});
    int64_t at = watermark(stream, stage);
    if (delay && at != no_time && at != end_of_time) seen = std::max(seen, plus(at, *delay));
  };
  for (const auto& [place, state] : states_) keep(place.first, place.second);
  for (const typed::Set& set : program_->sets)
    keep(set.stream, program_->streams[static_cast<size_t>(set.stream)].stages.size());
  return seen;
}

void Flow::raise_watermarks(int64_t time) {
  for (int64_t& watermark : watermarks_) watermark = std::max(watermark, time);
  fire_due();
}

void Flow::finish() {
  fire_due();
  for (auto& [place, state] : states_) {
    const typed::Stage& stage = stage_at(place);
    if (!waits_for_end(place) || state.settled) continue;
    if (stage.hold) {
      finish_held(place);
    } else {
      give_all(place);
    }
    state.settled = true;
    fire_due();
  }
}

// Depth first: what a stage gives goes through the rest of the stream and all of its readers before the
// next of its rows.
void Flow::run(int stream, size_t stage, Event event) {
  const typed::Stream& of = program_->streams[static_cast<size_t>(stream)];
  if (stage == of.stages.size()) {
    leave(stream, event);
    return;
  }
  const typed::Stage& at = of.stages[stage];
  Step made;
  try {
    made = step(stream, stage, event);
  } catch (const EventFailure& failure) {
    send_error(stream, event, to_json(Value(event.fields), at.input), std::nullopt, at.keyword, at.span,
               typed::event_error_code(failure.error));
    return;
  }
  if (made.late && at.late_stream >= 0) run(at.late_stream, 0, event);
  for (Event& row : made.rows) {
    row.origin = event.origin;
    run(stream, stage + 1, std::move(row));
  }
}

void Flow::leave(int stream, const Event& event) {
  for (const Reader& reader : readers_[static_cast<size_t>(stream)]) {
    switch (reader.kind) {
      case Reader::Kind::Emit:
        emit_(reader.index, event);
        break;
      case Reader::Kind::Join:
        join_right({static_cast<int>(reader.index), reader.input}, event);
        break;
      case Reader::Kind::Route:
        route(program_->routes[reader.index], event);
        break;
      case Reader::Kind::Set:
        propose(reader.index, event);
        break;
      case Reader::Kind::Stream: {
        const typed::Input& input = program_->streams[reader.index].inputs[reader.input];
        Event copy = event;
        if (!input.conversion.empty()) {
          Scope scope = scope_of(event);
          copy.fields.clear();
          for (const typed::Output& output : input.conversion)
            copy.fields.push_back(evaluate(*output.value, scope));
        }
        run(static_cast<int>(reader.index), 0, std::move(copy));
      }
    }
  }
  if (program_->streams[static_cast<size_t>(stream)].is_table) settle_followers(stream, event);
}

// The first branch that matches, or every one (`route all`); all conditions are known before any branch
// is taken, so that an error leaves nothing half routed.
void Flow::route(const typed::Route& route, const Event& event) {
  std::vector<int> taken;
  bool any = false;
  try {
    for (const typed::RouteBranch& branch : route.branches) {
      Scope scope = scope_of(event);
      bool matches = branch.condition ? evaluate(*branch.condition, scope).as_bool() : !any;
      any = any || matches;
      if (matches) taken.push_back(branch.stream);
      if (matches && !route.all) break;
    }
  } catch (const EventFailure& failure) {
    const typed::Stream& of = program_->streams[static_cast<size_t>(route.input)];
    send_error(route.input, event, to_json(Value(event.fields), of.type), std::nullopt, "route", route.span,
               typed::event_error_code(failure.error));
    return;
  }
  for (int branch : taken) run(branch, 0, event);
}

// The newest value by event time waits for the next multiple of `every` (rule 6.4).
void Flow::propose(size_t index, const Event& event) {
  const typed::Set& set = program_->sets[index];
  const typed::Param& param = program_->params[static_cast<size_t>(set.param)];
  const Value& value = event.fields[0];
  bool below = param.low && total_order(value, from_const(*param.low, param.type)) < 0;
  bool above = param.high && total_order(value, from_const(*param.high, param.type)) > 0;
  bool no_number = value.is_float() && value.as_float() != value.as_float();
  if (below || above || (param.low && no_number)) {
    const typed::Stream& of = program_->streams[static_cast<size_t>(set.stream)];
    send_error(set.stream, event, to_json(Value(event.fields), of.type), std::nullopt, "set", set.span,
               typed::event_error_code(typed::EventError::Range));
    return;
  }
  Pending& pending = pending_[index];
  if (event.time < pending.time) return;
  pending.time = event.time;
  if (!pending.value) {
    int64_t now = watermark(set.stream, program_->streams[static_cast<size_t>(set.stream)].stages.size());
    if (now == no_time) now = event.time;
    int64_t rest = now % set.every;
    pending.tick = plus(minus(now, rest < 0 ? rest + set.every : rest), set.every);
  }
  pending.value = value;
}

void Flow::send_error(int stream, const Event& event, std::string json, std::optional<std::string> raw,
                      const std::string& stage, source::Span span, const char* code) {
  ++error_counts[program_->streams[static_cast<size_t>(stream)].name];
  static const std::map<std::string, std::string> messages = {
      {"overflow", "the number does not fit its type"},
      {"division_by_zero", "division by zero"},
      {"index", "no such index or key"},
      {"cast", "the value cannot be cast"},
      {"decode", "the record cannot be decoded"},
      {"future", "event time too far ahead of its arrival"},
      {"no_value", "an aggregate was added by an edit while the window was open and has seen no event of it"},
      {"no_key", "a key of a table is none"},
      {"timer", "a timer sets one that is not later than itself"},
      {"range", "value outside the range of the param"}};
  for (size_t i = 0; i < program_->streams.size(); ++i) {
    const typed::Stream& errors = program_->streams[i];
    if (errors.kind != StreamKind::Errors || errors.inputs[0].stream != stream) continue;
    Event out;
    out.time = event.time;
    out.origin = event.origin;
    out.fields = {Value(std::move(json)),
                  raw ? Value(*raw) : Value(),
                  Value(stage),
                  Value(static_cast<int64_t>(line_ ? line_(span) : 0)),
                  event.origin.input.empty() ? Value() : Value(event.origin.input),
                  Value(std::string(code)),
                  Value(messages.at(code))};
    run(static_cast<int>(i), 0, std::move(out));
    return;
  }
}

Scope Flow::scope_of(const Event& event) const {
  Scope scope;
  scope.fields = &event.fields;
  scope.time = event.time;
  scope.position = event.origin.position;
  scope.params = &params_;
  return scope;
}

}  // namespace mut::reference
