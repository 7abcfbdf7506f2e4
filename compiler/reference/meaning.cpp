#include "compiler/reference/meaning.h"

#include <algorithm>
#include <set>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::Expr;
using typed::ExprKind;
using typed::Op;
using typed::Stage;
using typed::StageKind;
using typed::StreamKind;

namespace {

// What is the same for all events: an edit of it leaves what a cell holds as it is.
std::string numbers_of(const typed::AggregateCall& call) {
  if (call.share == 0 && call.most == 0 && call.separator.empty()) return "";
  return " " + std::to_string(call.share) + " " + std::to_string(call.most) + " " + call.separator;
}

std::string window_text(const typed::Window& window) {
  std::string out = " window " + std::to_string(static_cast<int>(window.kind));
  for (int64_t number : {window.size, window.every, window.offset}) out += " " + std::to_string(number);
  return out + window.zone;
}

// Decimals of another number of digits are other values.
std::string exact_in(typed::TypeRef type) {
  if (type->kind == typed::Kind::Optional) type = type->element;
  return type->kind == typed::Kind::Decimal ? " in " + type->text : "";
}
bool computes(const Expr& expr) {
  return expr.kind == ExprKind::Unary ? expr.op == Op::Negate : expr.op >= Op::Add;
}

std::string own_of(const typed::AggregateCall& call) {
  return call.own == nullptr ? "" : " " + typed::text_of_state(*call.own) + typed::text_of_result(*call.own);
}

// Arithmetic between numbers that are written down.
bool is_written_number(const Expr& expr) {
  using typed::Kind;
  Kind kind = expr.type->kind;
  if (kind != Kind::Int && kind != Kind::Float && kind != Kind::Duration && kind != Kind::Time) return false;
  bool parts = std::all_of(expr.args.begin(), expr.args.end(),
                           [](const typed::ExprPtr& arg) { return is_written_number(*arg); });
  switch (expr.kind) {
    case ExprKind::Literal:
    case ExprKind::Convert:
      return parts;
    case ExprKind::Unary:
      return parts && expr.op == Op::Negate;
    case ExprKind::Binary: {
      bool is_float = expr.args[0]->type->kind == Kind::Float;
      bool alike = is_float == (expr.args[1]->type->kind == Kind::Float);
      bool exact = expr.op == Op::Add || expr.op == Op::Subtract || expr.op == Op::Multiply;
      return parts && alike && (exact || (expr.op == Op::Divide && is_float));
    }
    default:
      return false;
  }
}

// Whether there are values for which it is an event error.
bool may_fail(const Expr& expr) {
  bool exact = expr.type->kind != typed::Kind::Float && expr.type->kind != typed::Kind::String;
  switch (expr.kind) {
    case ExprKind::Cast:
    case ExprKind::Element:
      return true;
    case ExprKind::Try:
      return may_fail(*expr.args[1]);
    case ExprKind::CastOptional:
      return may_fail(*expr.args[0]);
    case ExprKind::Convert:
      if (typed::widening_can_fail(expr.args[0]->type, expr.type)) return true;
      break;
    case ExprKind::Unary:
      if (expr.op == Op::Negate && expr.type->kind != typed::Kind::Float) return true;
      break;
    case ExprKind::Binary:
      if (expr.op >= Op::Add && exact) return true;
      break;
    case ExprKind::Call: {
      using typed::Builtin;
      constexpr Builtin fail[] = {Builtin::Abs,        Builtin::Mod,     Builtin::ShiftLeft,
                                  Builtin::ShiftRight, Builtin::ListSum, Builtin::ParseTime};
      bool rounds = expr.builtin == Builtin::Round && expr.type->kind == typed::Kind::Decimal;
      if (rounds || std::find(std::begin(fail), std::end(fail), expr.builtin) != std::end(fail)) return true;
      break;
    }
    default:
      break;
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const typed::ExprPtr& arg) { return may_fail(*arg); });
}

}  // namespace

const typed::Input& Meaning::input_of(int stream) const {
  const std::vector<typed::Input>& inputs = program_.streams[static_cast<size_t>(stream)].inputs;
  auto way = way_.find(stream);
  return inputs[way == way_.end() ? 0 : way->second];
}

// Streams with several inputs that what enters the stage came through.
void Meaning::merges_above(int stream, size_t stage, std::set<int>& out) const {
  const typed::Stream& of = program_.streams[static_cast<size_t>(stream)];
  auto end_of = [&](int above) { return program_.streams[static_cast<size_t>(above)].stages.size(); };
  for (size_t k = 0; k < of.stages.size() && k <= stage; ++k) {
    if (of.stages[k].join) merges_above(of.stages[k].join->right, end_of(of.stages[k].join->right), out);
  }
  if (of.inputs.size() > 1 && !out.insert(stream).second) return;
  for (const typed::Input& input : of.inputs) {
    if (input.stream >= 0) merges_above(input.stream, end_of(input.stream), out);
  }
}

Ways Meaning::of(const Expr& expr, int stream, size_t stage) {
  return each_way(stream, stage, [&] { return text(expr, stream, stage); });
}
Ways Meaning::of(const typed::AggregateCall& call, int stream, size_t stage) {
  return each_way(stream, stage, [&] { return text(call, stream, stage); });
}
std::vector<Ways> Meaning::of(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage) {
  std::vector<Ways> out;
  for (const typed::ExprPtr& key : keys) out.push_back(of_key(*key, stream, stage));
  return out;
}
Ways Meaning::of_key(const Expr& key, int stream, size_t stage) {
  return each_way(stream, stage, [&] { return text(key, stream, stage) + exact_in(key.type); });
}
Ways Meaning::admitted(const typed::AggregateCall& call, int stream, size_t stage) {
  return each_way(stream, stage, [&] { return filter_of(call, stream, stage); });
}
Ways Meaning::time(int stream, size_t stage) {
  return each_way(stream, stage, [&] { return time_of(stream, stage); });
}
std::vector<Ways> Meaning::fields(int stream, size_t stage) {
  const typed::Stream& of = program_.streams[static_cast<size_t>(stream)];
  size_t count = (stage < of.stages.size() ? of.stages[stage].input : of.type)->fields.size();
  std::vector<Ways> out;
  for (size_t i = 0; i < count; ++i)
    out.push_back(each_way(stream, stage, [&] { return field(stream, stage, static_cast<int>(i)); }));
  return out;
}

std::string Meaning::text(const Expr& expr, int stream, size_t stage) {
  Locals locals;
  return text(expr, stream, stage, locals);
}

std::string Meaning::text(const typed::AggregateCall& call, int stream, size_t stage) {
  std::string out = call.argument ? text(*call.argument, stream, stage) : "";
  for (const typed::ExprPtr& argument : call.arguments) out += text(*argument, stream, stage) + ";";
  return call.order ? out + " by " + text(*call.order, stream, stage) : out;
}

std::vector<std::string> Meaning::texts(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage) {
  std::vector<std::string> out;
  for (const typed::ExprPtr& key : keys) out.push_back(text(*key, stream, stage));
  return out;
}

std::string Meaning::filter_of(const typed::AggregateCall& call, int stream, size_t stage) {
  return call.filter ? " where " + text(*call.filter, stream, stage) : "";
}

// The order of keys and a key that is given twice say nothing of the groups.
std::string Meaning::group_of(const Stage& stage, int stream, size_t index) {
  std::string out;
  std::vector<std::string> keys = texts(stage.keys, stream, index);
  for (const std::string& key : std::set<std::string>(keys.begin(), keys.end())) out += key + ";";
  return out + window_text(stage.window);
}

std::string Meaning::text(const Stage& stage, int stream, size_t index) {
  const typed::Process& process = *stage.process;
  Locals locals;
  for (size_t i = 0; i < process.key_locals.size(); ++i)
    locals[process.key_locals[i]] = text(*stage.keys[i], stream, index);
  std::string out = "by ";
  std::vector<std::string> keys = texts(stage.keys, stream, index);
  for (const std::string& key : std::set<std::string>(keys.begin(), keys.end())) out += key + ";";
  for (const typed::ProcessState& state : process.states)
    out += state.type->text + " = " + text(*state.initial, stream, index, locals) + ";";
  for (size_t i = 0; i < process.states.size(); ++i)
    locals[process.states[i].local] = "variable " + std::to_string(i);
  out += text(process.on_event, process, stream, index, locals);
  for (const typed::ProcessTimer& timer : process.timers)
    out += timer.name + text(timer.body, process, stream, index, locals);
  return out;
}

std::string Meaning::text(const std::vector<typed::Statement>& body, const typed::Process& process,
                          int stream, size_t stage, Locals& locals) {
  using Kind = typed::Statement::Kind;
  std::string out = "{";
  for (const typed::Statement& statement : body) {
    if (statement.kind == Kind::Let) {  // a name for a value: seen where it is used
      std::string value = text(*statement.value, stream, stage, locals);
      if (may_fail(*statement.value)) out += "let " + value;
      locals[statement.index] = std::move(value);
      continue;
    }
    bool of_timer = statement.kind == Kind::SetTimer || statement.kind == Kind::CancelTimer;
    out += std::to_string(static_cast<int>(statement.kind)) +
           (of_timer ? process.timers[static_cast<size_t>(statement.index)].name
                     : std::to_string(statement.index));
    if (statement.value) out += " " + text(*statement.value, stream, stage, locals);
    out += text(statement.then_body, process, stream, stage, locals) +
           text(statement.else_body, process, stream, stage, locals);
  }
  return out + "}";
}

std::string Meaning::text(const Expr& expr, int stream, size_t stage, Locals& locals) {
  const Stage* at = nullptr;
  const auto& stages = program_.streams[static_cast<size_t>(stream)].stages;
  if (stage < stages.size()) at = &stages[stage];
  auto index = static_cast<size_t>(std::max(expr.index, 0));
  if (is_written_number(expr)) {
    try {
      Scope nothing;
      return to_json(evaluate(expr, nothing), expr.type);
    } catch (const EventFailure&) {  // means what it says
    }
  }
  switch (expr.kind) {
    case ExprKind::Field:
      return field(stream, stage, expr.index);
    case ExprKind::Param:
      if (params_ == Params::Names) return "param " + program_.params[index].name;
      return "param " + program_.params[index].name + " = " +
             typed::to_text(program_.params[index].value, expr.type);
    case ExprKind::Literal:
      return typed::to_text(expr.value, expr.type);
    case ExprKind::Convert:
    case ExprKind::Unwrap:
      return text(*expr.args[0], stream, stage, locals);
    case ExprKind::Local:
      return locals.contains(expr.index) ? "(" + locals[expr.index] + ")" : "local";
    case ExprKind::Let: {  // a name for a value
      std::string value = text(*expr.args[0], stream, stage, locals);
      locals[expr.index] = std::move(value);
      return text(*expr.args[1], stream, stage, locals);
    }
    case ExprKind::Key:
      return text(*at->keys[index], stream, stage);
    case ExprKind::Aggregate: {
      const typed::AggregateCall& call = at->aggregates[index];
      return std::string(typed::aggregate_name(call.fn)) + "(" + text(call, stream, stage) + ")" +
             numbers_of(call) + own_of(call) + filter_of(call, stream, stage) + " of " +
             group_of(*at, stream, stage);
    }
    case ExprKind::History: {
      const typed::History& history = at->histories[index];
      std::string out = std::string(typed::aggregate_name(history.call.fn)) + "(" +
                        text(history.call, stream, stage) + ")" + numbers_of(history.call) +
                        own_of(history.call) + filter_of(history.call, stream, stage) + " over " +
                        std::to_string(static_cast<int>(history.over)) + " " +
                        std::to_string(history.amount) + (history.excluding_current ? " before it" : "");
      for (const std::string& key : texts(history.keys, stream, stage)) out += " by " + key;
      return out;
    }
    case ExprKind::WindowStart:
    case ExprKind::WindowEnd:
      return std::to_string(static_cast<int>(expr.kind)) + " of" + window_text(at->window);
    case ExprKind::MapList:
    case ExprKind::FilterList:
    case ExprKind::AnyOf:
    case ExprKind::AllOf:
    case ExprKind::Reduce: {
      std::string list = text(*expr.args[0], stream, stage, locals);
      if (expr.kind == ExprKind::Reduce) locals[expr.index + 1] = "so far of " + list;
      locals[expr.index] = "element of " + list;
      break;
    }
    case ExprKind::ZipLists:
      for (size_t i = 0; i + 1 < expr.args.size(); ++i)
        locals[expr.index + static_cast<int>(i)] = "element of " + text(*expr.args[i], stream, stage, locals);
      break;
    case ExprKind::IsSome:
      if (expr.index >= 0) locals[expr.index] = text(*expr.args[0], stream, stage, locals);
      break;
    case ExprKind::Member:
    case ExprKind::OptionalMember:
      if (expr.args[0]->kind == ExprKind::Field) {
        if (JoinPlace join = joined(stream, stage, expr.args[0]->index); join.stream >= 0) {
          int right = stage_of(join).join->right;
          return "joined " + partner_of(join) +
                 field(right, program_.streams[static_cast<size_t>(right)].stages.size(), expr.index);
        }
      }
      break;
    default:
      break;
  }
  std::vector<std::string> args;
  for (const typed::ExprPtr& arg : expr.args) args.push_back(text(*arg, stream, stage, locals));
  bool commutes = expr.kind == ExprKind::Binary && expr.type->kind != typed::Kind::String &&
                  (expr.op == Op::Add || expr.op == Op::Multiply || expr.op == Op::And || expr.op == Op::Or ||
                   expr.op == Op::Equal || expr.op == Op::NotEqual);
  if (commutes) std::sort(args.begin(), args.end());
  std::string out = std::to_string(static_cast<int>(expr.kind));
  if (expr.kind == ExprKind::Unary || expr.kind == ExprKind::Binary)
    out += "." + std::to_string(static_cast<int>(expr.op)) + (computes(expr) ? exact_in(expr.type) : "");
  if (expr.kind == ExprKind::Call) {
    out += "." + std::to_string(static_cast<int>(expr.builtin));
    // How many digits are kept stands in the type alone.
    if (expr.type->kind == typed::Kind::Decimal) out += " to " + expr.type->text;
    if (!expr.args.empty()) out += exact_in(expr.args[0]->type);
  }
  if (expr.kind == ExprKind::Format) out += exact_in(expr.args[0]->type);  // all digits are written
  if (expr.kind == ExprKind::Member || expr.kind == ExprKind::OptionalMember) {
    typed::TypeRef record = expr.args[0]->type;
    if (record->kind == typed::Kind::Optional) record = record->element;
    out += "." + name_of(record->fields[index].name, record->fields[index].was);
  }
  if (expr.kind == ExprKind::Cast || expr.kind == ExprKind::CastOptional) out += " as " + expr.type->text;
  out += expr.spec + "(";
  for (const std::string& arg : args) out += arg + ",";
  return out + ")";
}

std::string Meaning::field(int stream, size_t stage, int index) {
  auto known = known_.find({stream, stage, index});
  if (known != known_.end()) return known->second;
  std::string out = stage == 0 ? field_of_input(stream, index) : field_of_stage(stream, stage - 1, index);
  known_.emplace(std::tuple{stream, stage, index}, out);
  return out;
}

// The join that put a field there as a record of its other side; or none.
Meaning::JoinPlace Meaning::joined(int stream, size_t stage, int index) const {
  const typed::Stream& of = program_.streams[static_cast<size_t>(stream)];
  while (stage > 0) {
    const Stage& at = of.stages[--stage];
    auto place = static_cast<size_t>(index);
    switch (at.kind) {
      case StageKind::Where:
      case StageKind::Dedupe:
      case StageKind::Table:
        break;
      case StageKind::Join:
      case StageKind::Lookup:
        if (place == at.input->fields.size()) return {stream, stage};
        break;
      case StageKind::Project:
        if (at.outputs[place].value->kind != ExprKind::Field) return {};
        index = at.outputs[place].value->index;
        break;
      case StageKind::Hold:
        if (place >= at.input->fields.size()) return {};
        break;
      default:
        return {};
    }
  }
  bool passes = of.kind == StreamKind::Pipeline || of.kind == StreamKind::Branch;
  if (!passes || of.inputs.empty() || !input_of(stream).conversion.empty()) return {};
  int above = input_of(stream).stream;
  return joined(above, program_.streams[static_cast<size_t>(above)].stages.size(), index);
}

// By what a record was found: what is equal to what, and how many were found before it.
std::string Meaning::partner_of(JoinPlace join) {
  const Stage& stage = stage_of(join);
  size_t before = 0;
  for (size_t i = 0; i < stage.input->fields.size(); ++i)
    before += joined(join.stream, join.stage, static_cast<int>(i)).stream >= 0 ? 1 : 0;
  size_t end = program_.streams[static_cast<size_t>(stage.join->right)].stages.size();
  std::set<std::string> pairs;
  for (size_t i = 0; i < stage.keys.size(); ++i) {
    std::string other = stage.kind == StageKind::Lookup
                            ? "key " + stage.key_names[i]
                            : text(*stage.join->right_keys[i], stage.join->right, end);
    pairs.insert(text(*stage.keys[i], join.stream, join.stage) + " = " + other);
  }
  std::string out = std::to_string(before) + " on ";
  for (const std::string& pair : pairs) out += pair + ", ";
  return out;
}

std::string Meaning::field_of_stage(int stream, size_t stage, int index) {
  const Stage& at = program_.streams[static_cast<size_t>(stream)].stages[stage];
  switch (at.kind) {
    case StageKind::Where:
    case StageKind::Dedupe:
    case StageKind::Table:
      return field(stream, stage, index);
    case StageKind::Hold:
      if (index < static_cast<int>(at.input->fields.size())) return field(stream, stage, index);
      return "held " + at.output->fields[static_cast<size_t>(index)].name;
    case StageKind::Project:
    case StageKind::Match:
    case StageKind::Aggregate:
      return text(*at.outputs[static_cast<size_t>(index)].value, stream, stage);
    case StageKind::Process:
      if (int key = typed::key_of_field(at, static_cast<size_t>(index)); key >= 0)
        return text(*at.keys[static_cast<size_t>(key)], stream, stage);
      return "processed " + at.output->fields[static_cast<size_t>(index)].name + " of " +
             text(at, stream, stage);
    case StageKind::Flatten:
      if (index == at.flatten_output) return "element of " + text(*at.list, stream, stage);
      return field(stream, stage, at.input->field_index(at.output->fields[static_cast<size_t>(index)].name));
    case StageKind::Join:
    case StageKind::Lookup: {
      if (static_cast<size_t>(index) < at.input->fields.size()) return field(stream, stage, index);
      std::string out = "joined(" + partner_of({stream, stage});
      size_t end = program_.streams[static_cast<size_t>(at.join->right)].stages.size();
      for (size_t i = 0; i < at.join->right_type->fields.size(); ++i)
        out += field(at.join->right, end, static_cast<int>(i)) + ",";
      return out + ")";
    }
  }
  return "";
}

std::string Meaning::field_of_input(int stream, int index) {
  const typed::Stream& of_stream = program_.streams[static_cast<size_t>(stream)];
  const typed::Field& declared =
      of_stream.type
          ->fields[static_cast<size_t>(std::min(index, static_cast<int>(of_stream.type->fields.size()) - 1))];
  if (of_stream.kind == StreamKind::Source) {
    const typed::Source& source = program_.sources[static_cast<size_t>(of_stream.source)];
    const typed::Field& field_declared = source.type->fields[static_cast<size_t>(index)];
    return name_of(source.name, source.was) + "." + name_of(field_declared.name, field_declared.was);
  }
  if (of_stream.kind == StreamKind::Errors) return of_stream.name + "." + declared.name;
  if (of_stream.kind == StreamKind::Late) {  // what came to the stage that it was late for
    const typed::Stream& from = program_.streams[static_cast<size_t>(of_stream.inputs[0].stream)];
    for (size_t k = 0; k < from.stages.size(); ++k) {
      if (from.stages[k].late_stream == stream) return field(of_stream.inputs[0].stream, k, index);
    }
  }
  const typed::Input& input = input_of(stream);
  size_t end = program_.streams[static_cast<size_t>(input.stream)].stages.size();
  if (input.conversion.empty()) return field(input.stream, end, index);
  return text(*input.conversion[static_cast<size_t>(index)].value, input.stream, end);
}

// What a source says; a row of a join has the later one of its two.
std::string Meaning::time_of(int stream, size_t stage) {
  const typed::Stream& of_stream = program_.streams[static_cast<size_t>(stream)];
  auto end_of = [&](int above) {
    return time_of(above, program_.streams[static_cast<size_t>(above)].stages.size());
  };
  if (stage > 0) {
    const Stage& above = of_stream.stages[stage - 1];
    std::string left = time_of(stream, stage - 1);
    if (above.kind != StageKind::Join || above.join->kind == typed::JoinKind::Anti ||
        above.join->kind == typed::JoinKind::Asof || above.join->kind == typed::JoinKind::LeftAsof)
      return left;
    return "later of (" + left + ") and (" + end_of(above.join->right) + ")";
  }
  if (of_stream.kind == StreamKind::Source) {
    const typed::Source& source = program_.sources[static_cast<size_t>(of_stream.source)];
    return source.time ? text(*source.time, stream, 0) : "arrival";
  }
  if (of_stream.kind == StreamKind::Late) {
    const typed::Stream& from = program_.streams[static_cast<size_t>(of_stream.inputs[0].stream)];
    for (size_t k = 0; k < from.stages.size(); ++k) {
      if (from.stages[k].late_stream == stream) return time_of(of_stream.inputs[0].stream, k);
    }
  }
  if (of_stream.kind == StreamKind::Errors) return "of errors: " + time_of(of_stream.inputs[0].stream, 0);
  return end_of(input_of(stream).stream);
}

bool continues(const Ways& before, const Ways& now) {
  return std::includes(before.begin(), before.end(), now.begin(), now.end()) ||
         std::includes(now.begin(), now.end(), before.begin(), before.end());
}

std::string text_of(const Ways& ways) {
  std::string out;
  for (const std::string& way : ways) out += (out.empty() ? "" : " | ") + way;
  return out;
}

}  // namespace mut::reference
