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
  if (expr.type->kind != typed::Kind::Int && expr.type->kind != typed::Kind::Float) return false;
  bool parts = std::all_of(expr.args.begin(), expr.args.end(),
                           [](const typed::ExprPtr& arg) { return is_written_number(*arg); });
  switch (expr.kind) {
    case ExprKind::Literal:
    case ExprKind::Convert:
      return parts;
    case ExprKind::Unary:
      return parts && expr.op == Op::Negate;
    case ExprKind::Binary:
      return parts && (expr.op == Op::Add || expr.op == Op::Subtract || expr.op == Op::Multiply ||
                       (expr.op == Op::Divide && expr.type->kind == typed::Kind::Float));
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

std::string Meaning::of(const Expr& expr, int stream, size_t stage) {
  Locals locals;
  return text(expr, stream, stage, locals);
}

std::string Meaning::of(const typed::AggregateCall& call, int stream, size_t stage) {
  std::string out = call.argument ? of(*call.argument, stream, stage) : "";
  for (const typed::ExprPtr& argument : call.arguments) out += of(*argument, stream, stage) + ";";
  return call.order ? out + " by " + of(*call.order, stream, stage) : out;
}

std::string Meaning::admitted(const typed::AggregateCall& call, int stream, size_t stage) {
  return call.filter ? " where " + of(*call.filter, stream, stage) : "";
}

// The order of keys and a key that is given twice say nothing of the groups.
std::string Meaning::group_of(const Stage& stage, int stream, size_t index) {
  std::string out;
  std::vector<std::string> keys = of(stage.keys, stream, index);
  for (const std::string& key : std::set<std::string>(keys.begin(), keys.end())) out += key + ";";
  return out + window_text(stage.window);
}

std::vector<std::string> Meaning::of(const std::vector<typed::ExprPtr>& keys, int stream, size_t stage) {
  std::vector<std::string> out;
  for (const typed::ExprPtr& key : keys) out.push_back(of(*key, stream, stage));
  return out;
}

std::string Meaning::of(const typed::Process& process, int stream, size_t stage) {
  Locals locals;
  for (int local : process.key_locals) locals.emplace(local, locals.size());
  std::string out;
  for (const typed::ProcessState& state : process.states) {
    out += state.type->text + " = " + text(*state.initial, stream, stage, locals) + ";";
    locals.emplace(state.local, locals.size());
  }
  out += text(process.on_event, stream, stage, locals);
  for (const typed::ProcessTimer& timer : process.timers)
    out += timer.name + text(timer.body, stream, stage, locals);
  return out;
}

std::string Meaning::text(const std::vector<typed::Statement>& body, int stream, size_t stage,
                          Locals& locals) {
  std::string out = "{";
  for (const typed::Statement& statement : body) {
    if (statement.kind == typed::Statement::Kind::Let) {  // a name for a value: seen where it is used
      std::string value = text(*statement.value, stream, stage, locals);
      if (may_fail(*statement.value)) out += "let " + value;
      lets_[statement.index] = std::move(value);
      continue;
    }
    out += std::to_string(static_cast<int>(statement.kind)) + std::to_string(statement.index);
    if (statement.value) out += " " + text(*statement.value, stream, stage, locals);
    out +=
        text(statement.then_body, stream, stage, locals) + text(statement.else_body, stream, stage, locals);
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
      return "param " + program_.params[index].name;
    case ExprKind::Literal:
      return typed::to_text(expr.value, expr.type);
    case ExprKind::Convert:
    case ExprKind::Unwrap:
      return text(*expr.args[0], stream, stage, locals);
    case ExprKind::Local:
      if (auto let = lets_.find(expr.index); let != lets_.end()) return "(" + let->second + ")";
      return "local " + std::to_string(locals[expr.index]);
    case ExprKind::Key:
      return of(*at->keys[index], stream, stage);
    case ExprKind::Aggregate: {
      const typed::AggregateCall& call = at->aggregates[index];
      return std::string(typed::aggregate_name(call.fn)) + "(" + of(call, stream, stage) + ")" +
             numbers_of(call) + own_of(call) + admitted(call, stream, stage) + " of " +
             group_of(*at, stream, stage);
    }
    case ExprKind::History: {
      const typed::History& history = at->histories[index];
      std::string out = std::string(typed::aggregate_name(history.call.fn)) + "(" +
                        of(history.call, stream, stage) + ")" + numbers_of(history.call) +
                        own_of(history.call) + admitted(history.call, stream, stage) + " over " +
                        std::to_string(static_cast<int>(history.over)) + " " +
                        std::to_string(history.amount) + (history.excluding_current ? " before it" : "");
      for (const std::string& key : of(history.keys, stream, stage)) out += " by " + key;
      return out;
    }
    case ExprKind::WindowStart:
    case ExprKind::WindowEnd:
      return std::to_string(static_cast<int>(expr.kind)) + " of" + window_text(at->window);
    case ExprKind::Reduce:
      locals.emplace(expr.index + 1, locals.size());
      locals.emplace(expr.index, locals.size());
      break;
    case ExprKind::ZipLists:
      for (size_t i = 0; i + 1 < expr.args.size(); ++i)
        locals.emplace(expr.index + static_cast<int>(i), locals.size());
      break;
    case ExprKind::MapList:
    case ExprKind::FilterList:
    case ExprKind::AnyOf:
    case ExprKind::AllOf:
    case ExprKind::Let:
    case ExprKind::IsSome:
      locals.emplace(expr.index, locals.size());
      break;
    case ExprKind::Member:
    case ExprKind::OptionalMember:
      if (expr.args[0]->kind == ExprKind::Field) {
        if (int right = joined(stream, stage, expr.args[0]->index); right >= 0)
          return "joined " +
                 field(right, program_.streams[static_cast<size_t>(right)].stages.size(), expr.index);
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

// The stream whose record a field is, because a join put it there; or -1.
int Meaning::joined(int stream, size_t stage, int index) const {
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
        if (place == at.input->fields.size()) return at.join->right;
        break;
      case StageKind::Project:
        if (at.outputs[place].value->kind != ExprKind::Field) return -1;
        index = at.outputs[place].value->index;
        break;
      default:
        return -1;
    }
  }
  if (of.inputs.size() != 1 || !of.inputs[0].conversion.empty()) return -1;
  int above = of.inputs[0].stream;
  return joined(above, program_.streams[static_cast<size_t>(above)].stages.size(), index);
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
      return of(*at.outputs[static_cast<size_t>(index)].value, stream, stage);
    case StageKind::Process:
      if (int key = typed::key_of_field(at, static_cast<size_t>(index)); key >= 0)
        return of(*at.keys[static_cast<size_t>(key)], stream, stage);
      return "processed " + at.output->fields[static_cast<size_t>(index)].name + " of " +
             of(*at.process, stream, stage);
    case StageKind::Flatten:
      if (index == at.flatten_output) return "element of " + of(*at.list, stream, stage);
      return field(stream, stage, at.input->field_index(at.output->fields[static_cast<size_t>(index)].name));
    case StageKind::Join:
    case StageKind::Lookup: {
      if (static_cast<size_t>(index) < at.input->fields.size()) return field(stream, stage, index);
      std::string out = "joined(";
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
  if (of_stream.kind == StreamKind::Errors || of_stream.kind == StreamKind::Late)
    return of_stream.name + "." + declared.name;
  std::vector<std::string> ways;  // each once: a stream merged with a part of itself has one meaning
  for (const typed::Input& input : of_stream.inputs) {
    size_t end = program_.streams[static_cast<size_t>(input.stream)].stages.size();
    std::string way = input.conversion.empty()
                          ? field(input.stream, end, index)
                          : of(*input.conversion[static_cast<size_t>(index)].value, input.stream, end);
    if (std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(std::move(way));
  }
  std::string out;
  for (const std::string& way : ways) out += (out.empty() ? "" : " | ") + way;
  return out;
}

bool continues(const std::string& before, const std::string& now) {
  if (before == now) return true;
  auto ways = [](const std::string& text) {
    std::set<std::string> out;
    const std::string between = " | ";
    for (size_t at = 0; at <= text.size();) {
      size_t end = std::min(text.find(between, at), text.size());
      out.insert(text.substr(at, end - at));
      at = end + between.size();
    }
    return out;
  };
  std::set<std::string> a = ways(before);
  std::set<std::string> b = ways(now);
  return std::includes(a.begin(), a.end(), b.begin(), b.end()) ||
         std::includes(b.begin(), b.end(), a.begin(), a.end());
}

}  // namespace mut::reference
