#include "compiler/reference/stage_views.h"

#include <set>

#include "compiler/reference/joins.h"
#include "compiler/reference/meaning.h"

namespace mut::reference {

using typed::AggregateCall;
using typed::OverKind;
using typed::StageKind;

namespace {

// Decimals of another number of digits are other values: nothing goes over.
std::string digits_of(const typed::Expr* expr) {
  if (expr == nullptr) return "";
  typed::TypeRef type = expr->type->kind == typed::Kind::Optional ? expr->type->element : expr->type;
  return type->kind == typed::Kind::Decimal ? " of " + type->text : "";
}

// The form of a pattern: what its conditions say may change under a match that has begun, not how many there
// are.
std::string pattern_text(const typed::PatternNode& node) {
  std::string out = "(" + std::to_string(static_cast<int>(node.kind)) + " " + std::to_string(node.name) +
                    " " + std::to_string(node.least) + " " + std::to_string(node.most) +
                    (node.reluctant ? " few" : "");
  for (const typed::PatternGap& gap : node.gaps) {
    out += gap.relaxed ? " then" : " next";
    for (int name : gap.forbidden) out += " not " + std::to_string(name);
  }
  for (const typed::PatternNode& part : node.parts) out += pattern_text(part);
  return out + ")";
}
std::string pattern_text(const typed::Match& match) {
  std::string out = pattern_text(match.root);
  for (const typed::PatternName& name : match.names) out += name.condition ? " if" : " any";
  for (int name : match.absent) out += " not " + std::to_string(name);
  for (int name : match.measure_names) out += " of " + std::to_string(name);
  return out;
}

// With the values of an enum, which the name of the type does not tell.
std::string whole_text(typed::TypeRef type) {
  std::string out = type->text;
  if (type->element != nullptr) out += " of " + whole_text(type->element);
  for (const std::string& value : type->values) out += " " + value;
  for (const typed::Field& field : type->fields) out += ", " + field.name + ": " + whole_text(field.type);
  return out;
}

// Of what waits: when it is due, and what a row has. Other than the one number of a stage (`delay 3s`, `top
// 2`) that does not change under it.
std::string waiting_in(const typed::Stage& stage) {
  const typed::Window& window = stage.window;
  std::string out = "hold " + std::to_string(static_cast<int>(stage.hold->kind)) + " in " +
                    std::to_string(static_cast<int>(window.kind)) + " " + std::to_string(window.size) + " " +
                    std::to_string(window.every) + " " + std::to_string(window.offset) + " " + window.zone;
  return out + " " + whole_text(stage.input);
}

void fields_of(const typed::Expr& expr, std::set<int>& out) {
  if (expr.kind == typed::ExprKind::Field) out.insert(expr.index);
  for (const typed::ExprPtr& arg : expr.args) fields_of(*arg, out);
}

// A group that is forgotten by its age, or that keeps what came first, last or in a row, depends on when its
// events were.
bool depends_on_time(const AggregateCall& call, bool ages) {
  using typed::AggregateFn;
  return ages || call.fn == AggregateFn::First || call.fn == AggregateFn::Last ||
         call.fn == AggregateFn::Collect || call.fn == AggregateFn::Top || call.fn == AggregateFn::StringAgg;
}
bool depends_on_time(const typed::Stage& stage, const AggregateCall& call) {
  switch (stage.window.kind) {
    case typed::WindowKind::Running:
    case typed::WindowKind::Count:
    case typed::WindowKind::All:
      return depends_on_time(call, stage.ttl.has_value());
    default:
      return true;
  }
}
bool depends_on_time(const typed::History& history) {
  if (history.over == OverKind::LastDuration) return true;
  return history.over != OverKind::LastEvents && depends_on_time(history.call, history.ttl.has_value());
}

std::string function_of(const AggregateCall& call) {
  std::string out = call.own != nullptr ? typed::text_of_state(*call.own) : typed::aggregate_name(call.fn);
  using typed::AggregateFn;
  bool previous =
      call.fn == AggregateFn::Prev || call.fn == AggregateFn::Delta || call.fn == AggregateFn::Changed;
  if (previous) out = "previous";  // they keep the same
  if (call.fn == AggregateFn::Count) return out;
  for (size_t i = 0; const typed::Expr* argument = typed::argument_of(call, i); ++i)
    out += digits_of(argument);
  return out;
}

// What is kept as it was, so that nothing of it may be another thing: with the values of params.
class KeptTexts {
 public:
  explicit KeptTexts(const typed::Program& program, bool renames)
      : program_(program), meaning_(program, renames, Meaning::Params::Values) {}

  std::string order_of(const typed::Stage& stage, int stream, size_t index) {
    std::string out;
    for (const typed::OrderKey& key : stage.hold->order)
      out += text_of(meaning_.of(*key.value, stream, index)) + whole_text(key.value->type) +
             (key.descending ? " desc " : " ");
    return out;
  }
  std::string measures_of(const typed::Stage& stage, int stream, size_t index) {
    std::string out;
    for (const AggregateCall& call : stage.aggregates)
      out += function_of(call) + " " + whole_text(call.result) + " " +
             text_of(meaning_.of(call, stream, index)) + (call.order ? whole_text(call.order->type) : "") +
             text_of(meaning_.admitted(call, stream, index)) + "; ";
    return out;
  }
  // What conditions that look back read of an event, which is kept until they are asked.
  std::string read_later(const typed::Stage& stage, int stream, size_t index) {
    std::set<int> read;
    for (const typed::PatternName& name : stage.match->names) {
      if (name.looks_back) fields_of(*name.condition, read);
    }
    std::vector<Ways> all = meaning_.fields(stream, index);
    std::string out;
    for (int field : read) {
      auto at = static_cast<size_t>(field);
      out += text_of(all[at]) + whole_text(stage.input->fields[at].type) + "; ";
    }
    return out;
  }
  // What the rows of a table have given, and by which key they are known.
  std::string followed_by(const typed::Stage& stage, int stream, size_t index) {
    std::string out;
    for (const AggregateCall& call : stage.aggregates) {
      std::string function = call.own != nullptr ? "own" : function_of(call);
      for (const typed::ExprPtr& argument : call.arguments) function += " " + argument->type->text;
      out += function + " " + text_of(meaning_.of(call, stream, index)) +
             text_of(meaning_.admitted(call, stream, index)) + "; ";
    }
    int table = program_.find_stream(stage.follows);
    const typed::Stream& rows = program_.streams[static_cast<size_t>(table)];
    for (const typed::ExprPtr& key : rows.stages.back().keys)
      out += text_of(meaning_.of_key(*key, table, rows.stages.size() - 1)) + whole_text(key->type) + " ";
    return out;
  }

 private:
  const typed::Program& program_;
  Meaning meaning_;
};

}  // namespace

std::string Cell::column() const {
  size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

std::vector<StageView> views_of(Flow& flow, bool renames) {
  std::vector<StageView> out;
  Meaning meaning(flow.program(), renames);
  KeptTexts kept(flow.program(), renames);
  for (auto& [place, state] : flow.states()) {
    StageView view;
    view.place = place;
    view.stream = &flow.program().streams[static_cast<size_t>(place.first)];
    view.stage = &view.stream->stages[place.second];
    const typed::Stage& stage = *view.stage;
    auto [stream, index] = place;
    view.keys = meaning.of(stage.keys, stream, index);
    view.arriving = meaning.arriving(stream, index);
    auto add = [&](Cell cell) {
      cell.time = meaning.time(stream, index);
      view.cells.push_back(std::move(cell));
    };
    auto add_whole = [&](std::string name, std::string function) {
      add({.name = std::move(name), .function = std::move(function), .by_time = true});
    };
    auto add_call = [&](const AggregateCall& call, std::string function, std::vector<Ways> keys,
                        bool by_time) {
      add({.name = call.cell,
           .function = std::move(function),
           .meaning = meaning.of(call, stream, index),
           .filter = meaning.admitted(call, stream, index),
           .keys = std::move(keys),
           .by_time = by_time});
    };
    if (!stage.follows.empty()) {  // one cell: what the rows of the table have given
      add_whole("rows", "follow " + kept.followed_by(stage, stream, index));
    } else if (!stage.match) {
      for (const AggregateCall& call : stage.aggregates)
        add_call(call, function_of(call), {}, depends_on_time(stage, call));
    }
    for (const typed::History& history : stage.histories) {
      bool events = history.over == OverKind::LastDuration || history.over == OverKind::LastEvents;
      std::string function = events && history.call.own != nullptr ? "own" : function_of(history.call);
      add_call(history.call, function + " over " + std::to_string(static_cast<int>(history.over)),
               meaning.of(history.keys, stream, index), depends_on_time(history));
    }
    if (stage.hold) add_whole("waiting", waiting_in(stage) + kept.order_of(stage, stream, index));
    if (stage.match)
      add_whole("begun", "match" + pattern_text(*stage.match) + " " + kept.measures_of(stage, stream, index) +
                             kept.read_later(stage, stream, index));
    if (stage.process) {
      for (const typed::ProcessState& each : stage.process->states)
        add_whole(each.name, "variable " + each.type->text);
      for (const typed::ProcessTimer& each : stage.process->timers) add_whole(each.name + "/timer", "timer");
    }
    if (stage.kind == StageKind::Dedupe) add_whole("passed", "dedupe");
    if (stage.kind == StageKind::Table) add_whole("rows", "table");
    if (stage.kind == StageKind::Join) {
      const typed::Join& join = *stage.join;
      bool half = join.kind == typed::JoinKind::Semi || join.kind == typed::JoinKind::Anti;
      std::string function = is_asof(join.kind) ? "asof"
                             : half             ? "half join " + std::to_string(static_cast<int>(join.kind))
                                                : "join";
      size_t end = flow.program().streams[static_cast<size_t>(join.right)].stages.size();
      // Both sides have one key: what is equal to what.
      std::vector<Ways> right_keys = meaning.of(join.right_keys, join.right, end);
      for (size_t i = 0; i < right_keys.size(); ++i) {
        Ways pairs;
        for (const std::string& left : view.keys[i]) {
          for (const std::string& right : right_keys[i]) pairs.insert(left + " = " + right);
        }
        view.keys[i] = std::move(pairs);
      }
      add_whole("left", function);
      add_whole("right", function);
      for (Cell& side : view.cells) side.keys = view.keys;
      view.cells[1].time = meaning.time(join.right, end);
    }
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace mut::reference
