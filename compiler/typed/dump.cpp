#include <fmt/format.h>

#include <iterator>

#include "compiler/typed/program.h"
#include "runtime/decimal/decimal.h"

namespace mut::typed {
namespace {

const char* op_text(Op op) {
  switch (op) {
    case Op::Negate:
      return "neg";
    case Op::Not:
      return "not";
    case Op::Or:
      return "or";
    case Op::And:
      return "and";
    case Op::Equal:
      return "==";
    case Op::NotEqual:
      return "!=";
    case Op::Less:
      return "<";
    case Op::LessEqual:
      return "<=";
    case Op::Greater:
      return ">";
    case Op::GreaterEqual:
      return ">=";
    case Op::Add:
      return "+";
    case Op::Subtract:
      return "-";
    case Op::Multiply:
      return "*";
    case Op::Divide:
      return "/";
    case Op::Remainder:
      return "%";
  }
  return "?";
}

const char* kind_text(ExprKind kind) {
  switch (kind) {
    case ExprKind::Literal:
      return "literal";
    case ExprKind::Field:
      return "field";
    case ExprKind::Param:
      return "param";
    case ExprKind::Local:
      return "local";
    case ExprKind::Convert:
      return "convert";
    case ExprKind::Cast:
      return "cast";
    case ExprKind::CastOptional:
      return "cast?";
    case ExprKind::Unary:
      return "unary";
    case ExprKind::Binary:
      return "binary";
    case ExprKind::Member:
      return "member";
    case ExprKind::OptionalMember:
      return "member?";
    case ExprKind::Element:
      return "element";
    case ExprKind::Call:
      return "call";
    case ExprKind::If:
      return "if";
    case ExprKind::Let:
      return "let";
    case ExprKind::Try:
      return "try";
    case ExprKind::Coalesce:
      return "coalesce";
    case ExprKind::IsNone:
      return "is_none";
    case ExprKind::IsSome:
      return "is_some";
    case ExprKind::Unwrap:
      return "unwrap";
    case ExprKind::MakeRecord:
      return "record";
    case ExprKind::MakeList:
      return "list";
    case ExprKind::MakeMap:
      return "make_map";
    case ExprKind::Text:
      return "text";
    case ExprKind::Format:
      return "format";
    case ExprKind::History:
      return "history";
    case ExprKind::Key:
      return "key";
    case ExprKind::Aggregate:
      return "aggregate";
    case ExprKind::WindowStart:
      return "window_start";
    case ExprKind::WindowEnd:
      return "window_end";
    case ExprKind::MapList:
      return "map";
    case ExprKind::FilterList:
      return "filter";
    case ExprKind::AnyOf:
      return "any";
    case ExprKind::AllOf:
      return "all";
    case ExprKind::ZipLists:
      return "zip";
    case ExprKind::Reduce:
      return "reduce";
  }
  return "?";
}

const char* builtin_text(Builtin builtin) {
  switch (builtin) {
#define MUT_BUILTIN(id, name) \
  case Builtin::id:           \
    return name;
#include "runtime/abi/builtins.def"
#undef MUT_BUILTIN
  }
  return "?";
}

std::string expr_text(const Expr& expr) {
  std::string out = "(";
  switch (expr.kind) {
    case ExprKind::Literal:
      return to_text(expr.value, expr.type) + ":" + expr.type->text;
    case ExprKind::Unary:
    case ExprKind::Binary:
      out += op_text(expr.op);
      break;
    case ExprKind::Call:
      out += builtin_text(expr.builtin);
      break;
    default:
      out += kind_text(expr.kind);
      if (expr.index >= 0) out += fmt::format(" {}", expr.index);
      if (!expr.spec.empty()) out += " \"" + expr.spec + "\"";
  }
  for (const ExprPtr& arg : expr.args) out += " " + expr_text(*arg);
  return out + "):" + expr.type->text;
}

std::string call_text(const AggregateCall& call) {
  std::string out = fmt::format("{} = {}(", call.cell, aggregate_name(call.fn));
  if (call.own) out += call.own->name + ": ";
  for (size_t i = 0; i < call.arguments.size(); ++i)
    out += (i == 0 ? "" : ", ") + expr_text(*call.arguments[i]);
  if (call.argument) out += expr_text(*call.argument);
  if (call.order) out += ", " + expr_text(*call.order);
  if (call.fn == AggregateFn::Quantile) out += fmt::format(", {}", call.share);
  if (call.most != 0) out += fmt::format(", most {}", call.most);
  if (call.filter) out += " where " + expr_text(*call.filter);
  return out + "): " + call.result->text;
}

void dump_body(const std::vector<Statement>& body, const std::string& indent, std::string& out) {
  const char* words[] = {"let", "assign", "if", "emit", "timer", "cancel"};
  for (const Statement& statement : body) {
    out += indent + words[static_cast<int>(statement.kind)];
    if (statement.index >= 0) out += fmt::format(" {}", statement.index);
    if (statement.value) out += " " + expr_text(*statement.value);
    out += "\n";
    dump_body(statement.then_body, indent + "  ", out);
    if (statement.else_body.empty()) continue;
    out += indent + "else\n";
    dump_body(statement.else_body, indent + "  ", out);
  }
}

void dump_process(const Process& process, std::string& out) {
  for (const ProcessState& state : process.states)
    out += fmt::format("    state {}: {} = {}\n", state.name, state.type->text, expr_text(*state.initial));
  out += "    on event\n";
  dump_body(process.on_event, "      ", out);
  for (const ProcessTimer& timer : process.timers) {
    out += "    on timer " + timer.name + "\n";
    dump_body(timer.body, "      ", out);
  }
}

void dump_stage(const Stage& stage, std::string& out) {
  auto line = std::back_inserter(out);
  fmt::format_to(line, "  {} @{}{} -> {}\n", stage.keyword, stage.name, stage.stateful() ? " [state]" : "",
                 stage.output->text);
  for (const History& history : stage.histories) {
    fmt::format_to(line, "    history {}", call_text(history.call));
    const char* over[] = {"previous", "last duration", "last events", "all"};
    fmt::format_to(line, " over {} {}", over[static_cast<int>(history.over)], history.amount);
    for (const ExprPtr& key : history.keys) out += " by " + expr_text(*key);
    if (history.excluding_current) out += " excluding current";
    out += "\n";
  }
  if (stage.condition) fmt::format_to(line, "    condition {}\n", expr_text(*stage.condition));
  if (stage.list) fmt::format_to(line, "    list {}\n", expr_text(*stage.list));
  for (size_t i = 0; i < stage.keys.size(); ++i) {
    fmt::format_to(line, "    key {} = {}\n", i < stage.key_names.size() ? stage.key_names[i] : "",
                   expr_text(*stage.keys[i]));
  }
  for (const AggregateCall& call : stage.aggregates)
    fmt::format_to(line, "    aggregate {}\n", call_text(call));
  if (stage.kind == StageKind::Aggregate) {
    const char* windows[] = {"running", "tumbling", "sliding", "session", "count", "all"};
    fmt::format_to(line, "    window {} size {} every {} offset {}{}\n",
                   windows[static_cast<int>(stage.window.kind)], stage.window.size, stage.window.every,
                   stage.window.offset, stage.window.zone.empty() ? "" : " zone " + stage.window.zone);
  }
  if (stage.process) dump_process(*stage.process, out);
  for (const Output& output : stage.outputs)
    fmt::format_to(line, "    {} = {}\n", output.name, expr_text(*output.value));
  if (!stage.join) return;
  const char* kinds[] = {"inner", "left", "right",     "full",   "semi",
                         "anti",  "asof", "left asof", "lookup", "left lookup"};
  fmt::format_to(line, "    {} with stream {} as {} within {}..{}\n",
                 kinds[static_cast<int>(stage.join->kind)], stage.join->right, stage.join->name,
                 stage.join->low, stage.join->high);
  for (const ExprPtr& key : stage.join->right_keys)
    fmt::format_to(line, "    right key {}\n", expr_text(*key));
  if (stage.join->condition) fmt::format_to(line, "    pairs {}\n", expr_text(*stage.join->condition));
}

std::string parts_text(const Const::Parts& parts, TypeRef type) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += ", ";
    if (type->kind == Kind::Map) {
      out += to_text(parts[i].parts()[0], type->key()) + ": " + to_text(parts[i].parts()[1], type->value());
    } else {
      out += to_text(parts[i], type->kind == Kind::List ? type->element : type->fields[i].type);
    }
  }
  return type->kind == Kind::Map ? "map {" + out + "}" : "[" + out + "]";
}

}  // namespace

std::string to_text(const Const& value, TypeRef type) {
  type = without_none(type);
  if (type->kind == Kind::Secret) type = type->element;
  switch (value.value.index()) {
    case 0:
      return "none";
    case 1:
      return value.as_bool() ? "true" : "false";
    case 2:
      if (type->kind == Kind::Enum) return type->values[static_cast<size_t>(value.as_int())];
      return fmt::format("{}", value.as_int());
    case 3:
      return fmt::format("{}", value.as_float());
    case 4:
      return "\"" + value.as_text() + "\"";
    case 6: {
      char text[decimal::bytes_max];
      return {text, decimal::format(value.as_decimal(), type->scale, text)};
    }
    default:
      return parts_text(value.parts(), type);
  }
}

std::string dump(const Program& program) {
  std::string out;
  auto line = std::back_inserter(out);
  for (const Param& param : program.params) {
    fmt::format_to(line, "param {}: {} = {}\n", param.name, param.type->text,
                   to_text(param.value, param.type));
  }
  for (const Source& source : program.sources) {
    fmt::format_to(line, "source {}: {} lateness {}\n", source.name, source.type->text, source.lateness);
    if (source.idle) fmt::format_to(line, "  idle {}\n", *source.idle);
    if (source.ahead) fmt::format_to(line, "  ahead {}\n", *source.ahead);
    if (source.time) fmt::format_to(line, "  time {}\n", expr_text(*source.time));
    for (const Output& output : source.generated)
      fmt::format_to(line, "  {} = {}\n", output.name, expr_text(*output.value));
  }
  for (const Stream& stream : program.streams) {
    if (stream.kind == StreamKind::Source) continue;
    const char* kinds[] = {"source", "stream", "branch", "errors", "late"};
    fmt::format_to(line, "{} {}: {}", kinds[static_cast<int>(stream.kind)], stream.name, stream.type->text);
    for (const Input& input : stream.inputs)
      out += " <- " + program.streams[static_cast<size_t>(input.stream)].name;
    out += "\n";
    for (const Stage& stage : stream.stages) dump_stage(stage, out);
  }
  for (const Route& route : program.routes) {
    fmt::format_to(line, "route{} {}\n", route.all ? " all" : "",
                   program.streams[static_cast<size_t>(route.input)].name);
    for (const RouteBranch& branch : route.branches) {
      fmt::format_to(line, "  {} -> {}\n", branch.condition ? expr_text(*branch.condition) : "else",
                     program.streams[static_cast<size_t>(branch.stream)].name);
    }
  }
  for (const Emit& emit : program.emits) {
    fmt::format_to(line, "emit {} to {} as {}\n", program.streams[static_cast<size_t>(emit.stream)].name,
                   emit.connector.name, emit.name);
  }
  return out;
}

}  // namespace mut::typed
