#include "compiler/typed/program.h"

#include <map>

namespace mut::typed {

ExprPtr clone(const Expr& expr) {
  auto out = std::make_unique<Expr>();
  out->kind = expr.kind;
  out->type = expr.type;
  out->span = expr.span;
  out->value = expr.value;
  out->index = expr.index;
  out->op = expr.op;
  out->builtin = expr.builtin;
  out->spec = expr.spec;
  for (const ExprPtr& arg : expr.args) out->args.push_back(clone(*arg));
  return out;
}

const char* event_error_code(EventError error) {
  switch (error) {
    case EventError::None:
      return "none";
    case EventError::Overflow:
      return "overflow";
    case EventError::DivisionByZero:
      return "division_by_zero";
    case EventError::Index:
      return "index";
    case EventError::Cast:
      return "cast";
    case EventError::Decode:
      return "decode";
    case EventError::Future:
      return "future";
    case EventError::Range:
      return "range";
    case EventError::Memory:
      return "memory";
    case EventError::NoValue:
      return "no_value";
    case EventError::NoKey:
      return "no_key";
    case EventError::Timer:
      return "timer";
  }
  return "none";
}

const char* aggregate_name(AggregateFn fn) {
  switch (fn) {
    case AggregateFn::Count:
      return "count";
    case AggregateFn::Sum:
      return "sum";
    case AggregateFn::Avg:
      return "avg";
    case AggregateFn::Min:
      return "min";
    case AggregateFn::Max:
      return "max";
    case AggregateFn::First:
      return "first";
    case AggregateFn::Last:
      return "last";
    case AggregateFn::Variance:
      return "variance";
    case AggregateFn::VarianceSample:
      return "variance_sample";
    case AggregateFn::Stddev:
      return "stddev";
    case AggregateFn::StddevSample:
      return "stddev_sample";
    case AggregateFn::Distinct:
      return "distinct";
    case AggregateFn::Any:
      return "any";
    case AggregateFn::All:
      return "all";
    case AggregateFn::ArgMin:
      return "arg_min";
    case AggregateFn::ArgMax:
      return "arg_max";
    case AggregateFn::Quantile:
      return "quantile";
    case AggregateFn::Collect:
      return "collect";
    case AggregateFn::Top:
      return "top";
    case AggregateFn::StringAgg:
      return "string_agg";
    case AggregateFn::ApproxDistinct:
      return "approx_distinct";
    case AggregateFn::Rank:
      return "rank";
    case AggregateFn::Prev:
      return "prev";
    case AggregateFn::Delta:
      return "delta";
    case AggregateFn::Changed:
      return "changed";
    case AggregateFn::Own:
      return "own";
  }
  return "?";
}

bool overlaps(const AggregateCall& call) { return call.own != nullptr || call.fn == AggregateFn::Distinct; }

const Expr* argument_of(const AggregateCall& call, size_t index) {
  if (call.fn == AggregateFn::Own)
    return index < call.arguments.size() ? call.arguments[index].get() : nullptr;
  if (index == 0 && call.argument) return call.argument.get();
  return index <= 1 && (index == 1 || !call.argument) ? call.order.get() : nullptr;
}

namespace {

// Locals by what they stand for, so that their numbers do not show.
using LocalTexts = std::map<int, std::string>;

std::string text_of(const Expr& expr, LocalTexts& locals) {
  if (expr.kind == ExprKind::Local) return locals.contains(expr.index) ? locals[expr.index] : "?";
  std::string out = "(" + std::to_string(static_cast<int>(expr.kind));
  switch (expr.kind) {
    case ExprKind::Literal:
      return out + "=" + to_text(expr.value, expr.type) + ":" + expr.type->text + ")";
    case ExprKind::Unary:
    case ExprKind::Binary:
      out += "." + std::to_string(static_cast<int>(expr.op));
      break;
    case ExprKind::Call:
      out += "." + std::to_string(static_cast<int>(expr.builtin));
      break;
    case ExprKind::Let:
    case ExprKind::IsSome:
      locals.emplace(expr.index, "local" + std::to_string(locals.size()));
      break;
    case ExprKind::MapList:
    case ExprKind::FilterList:
    case ExprKind::AnyOf:
    case ExprKind::AllOf:
    case ExprKind::Reduce:
      locals.emplace(expr.index, "local" + std::to_string(locals.size()));
      if (expr.kind == ExprKind::Reduce)
        locals.emplace(expr.index + 1, "local" + std::to_string(locals.size()));
      break;
    case ExprKind::ZipLists:
      for (size_t i = 0; i + 1 < expr.args.size(); ++i)
        locals.emplace(expr.index + static_cast<int>(i), "local" + std::to_string(locals.size()));
      break;
    case ExprKind::Member:
    case ExprKind::OptionalMember:
      out += "." + std::to_string(expr.index);
      break;
    default:
      break;
  }
  out += expr.spec + ":" + expr.type->text;
  for (const ExprPtr& arg : expr.args) out += text_of(*arg, locals);
  return out + ")";
}

LocalTexts locals_of(const OwnAggregate& own) {
  LocalTexts out;
  for (size_t i = 0; i < own.parameters.size(); ++i) out[own.parameters[i]] = "event" + std::to_string(i);
  for (size_t i = 0; i < own.states.size(); ++i) out[own.states[i].local] = "state" + std::to_string(i);
  for (const auto& [local, value] : own.constants) {
    LocalTexts none;
    out[local] = text_of(*value, none);
  }
  out[own.other] = "other";
  return out;
}

}  // namespace

std::string identity_text(const Expr& expr) {
  std::string out = "(" + std::to_string(static_cast<int>(expr.kind)) + "." +
                    std::to_string(static_cast<int>(expr.op)) + "." +
                    std::to_string(static_cast<int>(expr.builtin)) + "." + std::to_string(expr.index) +
                    expr.spec + ":" + expr.type->text;
  if (expr.kind == ExprKind::Literal) out += "=" + to_text(expr.value, expr.type);
  for (const ExprPtr& arg : expr.args) out += identity_text(*arg);
  return out + ")";
}

std::string text_of_kept(const AggregateCall& call) {
  std::string out = call.argument ? identity_text(*call.argument) : "()";
  for (const ExprPtr& argument : call.arguments) out += identity_text(*argument);
  if (call.order) out += " by " + identity_text(*call.order);
  if (call.filter) out += "?" + identity_text(*call.filter);
  return out;
}

std::string text_of_state(const OwnAggregate& own) {
  LocalTexts locals = locals_of(own);
  std::string out;
  for (size_t i = 0; i < own.states.size(); ++i) {
    out += own.states[i].type->text + " " + text_of(*own.states[i].initial, locals) + " -> " +
           text_of(*own.add[i], locals) + ";";
  }
  return out;
}

std::string text_of_result(const OwnAggregate& own) {
  LocalTexts locals = locals_of(own);
  std::string out = text_of(*own.result, locals);
  for (const ExprPtr& each : own.merge) out += ";" + text_of(*each, locals);
  return out;
}

const Option* Connector::find(std::string_view wanted) const {
  for (const Option& option : options) {
    if (option.name == wanted) return &option;
  }
  return nullptr;
}

bool Connector::is_network() const {
  static constexpr std::string_view others[] = {"file", "stdin", "stdout", "generate", "host", "metrics"};
  return std::find(std::begin(others), std::end(others), name) == std::end(others);
}

const Option* Connector::positional(size_t index) const {
  for (const Option& option : options) {
    if (option.name.empty() && index-- == 0) return &option;
  }
  return nullptr;
}

int Program::find_stream(std::string_view name) const {
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace mut::typed
