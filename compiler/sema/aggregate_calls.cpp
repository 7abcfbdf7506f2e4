// Calls of aggregates: of a group, and of what a pattern has bound.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/call_checker.h"
#include "runtime/decimal/decimal.h"

namespace mut::sema {

using diag::Code;
using typed::AggregateFn;
using typed::Builtin;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

namespace {

// Of what an aggregate keeps of one group.
constexpr int64_t most_max = 1'000'000;

}  // namespace

const AggregateName* find_aggregate(std::string_view name) {
  for (const AggregateName& entry : aggregate_names) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

ExprPtr CallChecker::check_own(const Homed<ast::AggregateDecl>& own) {
  if (scope.place == Place::AggregateArgument) {
    diags().report(Code::AggregateNested, expr.span);
    return error();
  }
  if (scope.place != Place::AggregateItem) {
    diags()
        .report(Code::AggregateOutside, expr.span, node.function.text)
        .note("write `" + node.function.text + "(…) over last 10m`, or use `| aggregate`");
    return error();
  }
  typed::AggregateCall out;
  Scope inner = of_events();
  inner.place = Place::AggregateArgument;
  if (!checker.fill_own(own, args, node, expr.span, inner, out)) return error();
  return add_aggregate(std::move(out), node.function.text.c_str());
}

bool CallChecker::finish_aggregate(typed::AggregateCall& out, bool maybe_empty) {
  TypeRef value = out.argument ? out.argument->type : nullptr;
  if (value != nullptr && value->kind == Kind::Error) return false;
  if (value != nullptr && out.fn != AggregateFn::Count && typed::has_secret(value)) {
    checker.secret_use(*out.argument, "no aggregate keeps but `count`");
    return false;
  }
  bool optional = value != nullptr && value->kind == Kind::Optional;
  TypeRef inner = optional ? value->element : value;
  bool empty = maybe_empty || optional || out.filter != nullptr;
  auto wanted = [&](bool fine, std::string_view what) {
    if (fine) return true;
    diags().report(Code::ArgumentType, out.argument->span, "1", node.function.text, std::string(what),
                   quoted(value));
    return false;
  };
  auto maybe = [&](TypeRef result) { return empty ? checker.types_.optional(result) : result; };
  switch (out.fn) {
    case AggregateFn::Count:
      out.result = type(Kind::Int);
      return true;
    case AggregateFn::Distinct:
    case AggregateFn::ApproxDistinct:
      out.result = type(Kind::Int);
      return wanted(typed::is_key(value), "a value that can be compared");
    case AggregateFn::Sum:
      out.result = inner;
      return wanted(inner->kind == Kind::Int || inner->kind == Kind::Float || inner->kind == Kind::Duration ||
                        inner->kind == Kind::Decimal,
                    "a number or duration");
    case AggregateFn::Avg:
      if (inner->kind == Kind::Decimal) {
        TypeRef mean = checker.decimal_type(inner->scale + decimal::quotient_digits, out.argument->span);
        out.result = maybe(mean);
        return mean->kind != Kind::Error;
      }
      [[fallthrough]];
    case AggregateFn::Variance:
    case AggregateFn::Stddev:
      out.result = maybe(type(Kind::Float));
      return wanted(inner->kind == Kind::Float, "a number");
    case AggregateFn::VarianceSample:
    case AggregateFn::StddevSample:
      out.result = checker.types_.optional(type(Kind::Float));
      return wanted(inner->kind == Kind::Float, "a number");
    case AggregateFn::Min:
    case AggregateFn::Max:
      out.result = maybe(inner);
      return wanted(typed::is_ordered(inner), "an ordered value");
    case AggregateFn::First:
    case AggregateFn::Last:
      out.result = maybe(inner);
      return wanted(!typed::holds_values(inner), "a scalar");
    case AggregateFn::Any:
    case AggregateFn::All:
      out.result = maybe(type(Kind::Bool));
      return wanted(inner->kind == Kind::Bool, "`bool`");
    case AggregateFn::ArgMin:
    case AggregateFn::ArgMax:
      out.result = maybe(inner);
      if (!typed::is_ordered(out.order->type)) {
        diags().report(Code::NoOrder, out.order->span, quoted(out.order->type));
        return false;
      }
      return wanted(!typed::holds_values(inner), "a scalar");
    case AggregateFn::Quantile:
      out.result = maybe(type(Kind::Float));
      return wanted(inner->kind == Kind::Float, "a number");
    case AggregateFn::Collect:
      out.result = maybe(checker.types_.list(inner));
      return wanted(!typed::holds_values(inner), "a scalar");
    case AggregateFn::Top:
      out.result = maybe(checker.types_.list(inner));
      return wanted(typed::is_ordered(inner), "an ordered value");
    case AggregateFn::StringAgg:
      out.result = maybe(type(Kind::String));
      return wanted(inner->kind == Kind::String, "`string`");
    case AggregateFn::Rank:
      out.result = type(Kind::Int);
      if (optional || out.filter != nullptr) out.result = checker.types_.optional(out.result);
      return wanted(typed::is_ordered(inner), "an ordered value");
    case AggregateFn::Prev:
      out.result = checker.types_.optional(inner);
      return wanted(!typed::holds_values(inner), "a scalar");
    case AggregateFn::Own:
      return true;
    case AggregateFn::Changed:
      out.result = type(Kind::Bool);
      return wanted(typed::is_key(value), "a value that can be compared");
    case AggregateFn::Delta:
      out.result = checker.types_.optional(inner->kind == Kind::Time ? type(Kind::Duration) : inner);
      return wanted(!optional && (inner->kind == Kind::Int || inner->kind == Kind::Float ||
                                  inner->kind == Kind::Decimal || inner->kind == Kind::Time ||
                                  inner->kind == Kind::Duration),
                    "a number, time or duration");
  }
  return false;
}

ExprPtr CallChecker::aggregate_argument(AggregateFn fn, const ast::Expr& arg, Scope& inner) {
  ExprPtr value = checker.check(arg, inner);
  TypeRef scalar = value->type->kind == Kind::Optional ? value->type->element : value->type;
  bool floats = fn == AggregateFn::Avg || fn == AggregateFn::Quantile ||
                (fn >= AggregateFn::Variance && fn <= AggregateFn::StddevSample);
  if (floats && fn != AggregateFn::Avg && scalar->kind == Kind::Decimal)
    return nearest_float(std::move(value));
  TypeRef wanted = scalar;
  if (floats && typed::is_number(scalar->kind) && scalar->kind != Kind::U64) {
    wanted = type(Kind::Float);
  } else if ((fn == AggregateFn::Sum || fn == AggregateFn::Delta) && typed::is_small_int(scalar->kind)) {
    wanted = type(Kind::Int);
  } else if ((fn == AggregateFn::Sum || fn == AggregateFn::Delta) && scalar->kind == Kind::F32) {
    wanted = type(Kind::Float);
  }
  if (wanted == scalar) return value;
  if (value->type->kind == Kind::Optional) wanted = checker.types_.optional(wanted);
  return checker.coerce(std::move(value), wanted);
}

// Of a decimal, also where it may be none.
ExprPtr CallChecker::nearest_float(ExprPtr value) {
  TypeRef real = type(Kind::Float);
  auto with = [&](ExprKind kind, TypeRef made, ExprPtr arg) {
    ExprPtr out = checker.make(kind, made, expr.span);
    out->args.push_back(std::move(arg));
    return out;
  };
  auto convert = [&](ExprPtr arg) {
    std::vector<ExprPtr> values;
    values.push_back(std::move(arg));
    return call(Builtin::DecimalToFloat, real, std::move(values));
  };
  if (value->type->kind != Kind::Optional) return convert(std::move(value));
  TypeRef maybe = checker.types_.optional(real);
  ExprPtr there = with(ExprKind::Unwrap, value->type->element, typed::clone(*value));
  ExprPtr out = checker.make(ExprKind::If, maybe, expr.span);
  out->args.push_back(with(ExprKind::IsNone, type(Kind::Bool), std::move(value)));
  out->args.push_back(checker.make(ExprKind::Literal, maybe, expr.span));
  out->args.push_back(with(ExprKind::Convert, maybe, convert(std::move(there))));
  return out;
}

bool CallChecker::argument_count_fits(AggregateFn fn) {
  switch (fn) {
    case AggregateFn::Count:
      return count_is(0, 1);
    case AggregateFn::ArgMin:
    case AggregateFn::ArgMax:
    case AggregateFn::Top:
      return count_is(2, 2);
    case AggregateFn::Quantile:
      return node.function.text == "median" ? count_is(1, 1) : count_is(2, 2);
    case AggregateFn::StringAgg:
      return count_is(3, 3);
    case AggregateFn::Collect:
      if (args.size() != 1 || scope.closing_window || scope.pattern != nullptr) return count_is(1, 2);
      diags()
          .report(Code::ArgumentCount, expr.span, node.function.text, "2 arguments", "1")
          .note("`collect(x, n)` keeps the first n; without n it stands in a window that closes");
      return false;
    default:
      return count_is(1, 1);
  }
}

bool CallChecker::fill_numbers(typed::AggregateCall& out) {
  if (out.fn == AggregateFn::Quantile) {
    out.share = 0.5;
    if (args.size() == 1) return true;
    auto share = checker.check_constant(*args[1], type(Kind::Float));
    if (!share) return false;
    out.share = share->value.as_float();
    if (out.share >= 0 && out.share <= 1) return true;
    diags().report(Code::ParamRange, args[1]->span, typed::to_text(share->value, share->type), "0..1");
    return false;
  }
  bool text = out.fn == AggregateFn::StringAgg;
  if (text) {
    auto separator = checker.check_constant(*args[1], type(Kind::String));
    if (!separator) return false;
    out.separator = separator->value.as_text();
  }
  bool list = text || out.fn == AggregateFn::Collect || out.fn == AggregateFn::Top;
  if (!list || args.size() == 1) return true;
  auto most = checker.check_constant(*args.back(), type(Kind::Int));
  if (!most) return false;
  out.most = most->value.as_int();
  if (out.most >= 1 && out.most <= most_max) return true;
  diags().report(Code::ParamRange, args.back()->span, std::to_string(out.most),
                 fmt::format("1..{}", most_max));
  return false;
}

bool CallChecker::fill_aggregate(AggregateFn fn, typed::AggregateCall& out, Scope& inner) {
  out.fn = fn;
  out.span = expr.span;
  bool two = fn == AggregateFn::ArgMin || fn == AggregateFn::ArgMax;
  if (!argument_count_fits(fn)) return false;
  if (!args.empty()) out.argument = aggregate_argument(fn, *args[0], inner);
  if (!fill_numbers(out)) return false;
  if (two) out.order = checker.need_value(checker.check(*args[1], inner), "an ordered value");
  if (out.order && out.order->type->kind == Kind::Error) return false;
  if (node.filter) {
    out.filter = checker.check_condition(*node.filter, inner);
    if (out.filter->type->kind == Kind::Error) return false;
  }
  return true;
}

std::string CallChecker::cell_name(const std::string& prefix, const char* fn,
                                   const std::vector<std::string>& taken) {
  std::string base = prefix.empty() ? fn : prefix + "/" + fn;
  std::string name = base;
  for (int number = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++number)
    name = fmt::format("{}#{}", base, number);
  return name;
}

ExprPtr CallChecker::check_aggregate(const AggregateName& aggregate) {
  typed::AggregateCall out;
  Scope inner = of_events();
  inner.place = Place::AggregateArgument;
  if (!fill_aggregate(aggregate.fn, out, inner) || !finish_aggregate(out, scope.may_be_empty_window))
    return error();
  return add_aggregate(std::move(out), typed::aggregate_name(aggregate.fn));
}

ExprPtr CallChecker::add_aggregate(typed::AggregateCall out, const char* name) {
  std::vector<std::string> taken;
  for (const typed::AggregateCall& other : *scope.aggregates) taken.push_back(other.cell);
  out.cell = cell_name(scope.cell, name, taken);
  ExprPtr result = checker.make(ExprKind::Aggregate, out.result, expr.span);
  result->index = static_cast<int>(scope.aggregates->size());
  scope.aggregates->push_back(std::move(out));
  return result;
}

ExprPtr CallChecker::check_measure(const AggregateName& aggregate) {
  bool keeps = aggregate.fn >= AggregateFn::Quantile && aggregate.fn <= AggregateFn::ApproxDistinct;
  if (keeps && !argument_count_fits(aggregate.fn)) return error();
  const auto* whole = args.size() == 1 || keeps ? std::get_if<ast::NameRef>(&args[0]->node) : nullptr;
  typed::AggregateCall out;
  out.fn = aggregate.fn;
  out.span = expr.span;
  MeasureArgument measured;
  if (whole != nullptr) measured.name = scope.pattern->find(whole->name.text);
  if (measured.name < 0) {
    if (args.size() != 1 && !keeps) return nullptr;
    Scope inner = scope;
    inner.place = Place::AggregateArgument;
    inner.measured = &measured;
    out.argument = aggregate_argument(aggregate.fn, *args[0], inner);
    if (out.argument->type->kind == Kind::Error) return error();
    if (measured.name < 0) return nullptr;
    if (aggregate.fn == AggregateFn::ArgMin || aggregate.fn == AggregateFn::ArgMax)
      return not_executable("`" + node.function.text + "` in a pattern");
    if (measured.several || measured.plain_field) {
      diags()
          .report(Code::PatternUse, args[0]->span,
                  "an aggregate is over the events of one name of the pattern")
          .note("write `" + node.function.text + "(name.field)`");
      return error();
    }
  } else if (aggregate.fn != AggregateFn::Count) {
    diags()
        .report(Code::PatternUse, args[0]->span, "`" + whole->name.text + "` names an event, not a value")
        .note("write `" + node.function.text + "(" + whole->name.text + ".field)`");
    return error();
  }
  if (node.filter) return not_executable("`where` in an aggregate of a pattern");
  if (!fill_numbers(out)) return error();
  const BoundName& of = scope.pattern->names[static_cast<size_t>(measured.name)];
  bool may_lack = of.optional || measured.name == scope.pattern->current;
  if (!finish_aggregate(out, may_lack)) return error();
  return checker.add_measure(std::move(out), measured.name, *scope.pattern, expr.span);
}

}  // namespace mut::sema
