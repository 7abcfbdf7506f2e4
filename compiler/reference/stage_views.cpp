#include "compiler/reference/stage_views.h"

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

std::vector<std::string> with_digits(std::vector<std::string> keys,
                                     const std::vector<typed::ExprPtr>& exprs) {
  for (size_t i = 0; i < keys.size(); ++i) keys[i] += digits_of(exprs[i].get());
  return keys;
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

}  // namespace

std::vector<StageView> views_of(Flow& flow, bool renames) {
  std::vector<StageView> out;
  Meaning meaning(flow.program(), renames);
  for (auto& [place, state] : flow.states()) {
    StageView view;
    view.place = place;
    view.stream = &flow.program().streams[static_cast<size_t>(place.first)];
    view.stage = &view.stream->stages[place.second];
    auto [stream, index] = place;
    view.keys = with_digits(meaning.of(view.stage->keys, stream, index), view.stage->keys);
    auto add = [&](const AggregateCall& call, const std::string& function, std::vector<std::string> keys) {
      view.cells.push_back({call.cell, function, meaning.of(call, stream, index), std::move(keys)});
    };
    auto function_of = [](const AggregateCall& call) -> std::string {
      std::string out =
          call.own != nullptr ? typed::text_of_state(*call.own) : typed::aggregate_name(call.fn);
      if (call.fn == typed::AggregateFn::Count) return out;
      for (size_t i = 0; const typed::Expr* argument = typed::argument_of(call, i); ++i)
        out += digits_of(argument);
      return out;
    };
    if (view.stage->follows.empty()) {
      for (const AggregateCall& call : view.stage->aggregates) add(call, function_of(call), {});
    } else {  // one cell: what the rows of the table have given
      std::string all;
      for (const AggregateCall& call : view.stage->aggregates)
        all +=
            (call.own != nullptr ? "own" : function_of(call)) + " " + meaning.of(call, stream, index) + "; ";
      int table = flow.program().find_stream(view.stage->follows);
      const typed::Stream& rows = flow.program().streams[static_cast<size_t>(table)];
      for (const std::string& key : meaning.of(rows.stages.back().keys, table, rows.stages.size() - 1))
        all += key + " ";
      view.cells.push_back({"rows", "follow " + all, "", {}});
    }
    for (const typed::History& history : view.stage->histories) {
      bool events = history.over == OverKind::LastDuration || history.over == OverKind::LastEvents;
      std::string function = events && history.call.own != nullptr ? "own" : function_of(history.call);
      add(history.call, function + " over " + std::to_string(static_cast<int>(history.over)),
          with_digits(meaning.of(history.keys, stream, index), history.keys));
    }
    if (view.stage->hold) {
      std::string order;
      for (const typed::OrderKey& key : view.stage->hold->order)
        order += meaning.of(*key.value, stream, index) + (key.descending ? " desc " : " ");
      view.cells.push_back({"waiting", waiting_in(*view.stage), order, {}});
    }
    if (view.stage->match) {
      std::string function = "match" + pattern_text(*view.stage->match);
      for (const typed::Output& output : view.stage->outputs) function += digits_of(output.value.get()) + ",";
      for (const AggregateCall& call : view.stage->aggregates)
        function += function_of(call) + " " + meaning.of(call, stream, index) + ";";
      view.cells.push_back({"begun", function, "", {}});
    }
    if (view.stage->process) {
      for (const typed::ProcessState& each : view.stage->process->states)
        view.cells.push_back({each.name, "variable " + each.type->text, "", {}});
      for (const typed::ProcessTimer& each : view.stage->process->timers)
        view.cells.push_back({each.name + "/timer", "timer", "", {}});
    }
    if (view.stage->kind == StageKind::Dedupe) view.cells.push_back({"passed", "dedupe", "", {}});
    if (view.stage->kind == StageKind::Table) view.cells.push_back({"rows", "table", "", {}});
    if (view.stage->kind == StageKind::Join) {
      const typed::Join& join = *view.stage->join;
      bool half = join.kind == typed::JoinKind::Semi || join.kind == typed::JoinKind::Anti;
      std::string function = is_asof(join.kind) ? "asof"
                             : half             ? "half join " + std::to_string(static_cast<int>(join.kind))
                                                : "join";
      size_t end = flow.program().streams[static_cast<size_t>(join.right)].stages.size();
      // Both sides have one key: what is equal to what.
      std::vector<std::string> right_keys = meaning.of(join.right_keys, join.right, end);
      for (size_t i = 0; i < right_keys.size(); ++i) view.keys[i] += " = " + right_keys[i];
      view.cells.push_back({"left", function, "", view.keys});
      view.cells.push_back({"right", function, "", view.keys});
    }
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace mut::reference
