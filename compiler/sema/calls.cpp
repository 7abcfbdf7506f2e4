// Calls: built-in functions, functions of the script (inlined here), aggregates and history.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"
#include "runtime/decimal/decimal.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::AggregateFn;
using typed::Builtin;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

namespace {

// For functions of other languages that are no function here.
std::optional<std::string_view> written_here(std::string_view name) {
  if (name == "now") return "there is no clock of the wall; `event_time()` is the time of the event";
  if (name == "coalesce" || name == "ifnull" || name == "nvl") return "write `x ?? default`";
  if (name == "percentile" || name == "percentile_cont" || name == "approx_percentile")
    return "write `quantile(x, 0.9)`";
  if (name == "array_agg" || name == "collect_list")
    return "write `collect(x, n)`: the first n by event time";
  if (name == "group_concat" || name == "listagg") return "write `string_agg(x, \", \", n)`";
  if (name == "count_distinct") return "write `distinct(x)`, or `approx_distinct(x)` where there are many";
  if (name == "approx_count_distinct") return "write `approx_distinct(x)`";
  if (name == "cast") return "write `x as T`";
  return std::nullopt;
}

struct AggregateName {
  std::string_view name;
  AggregateFn fn;
};
constexpr AggregateName aggregate_names[] = {
    {"count", AggregateFn::Count},
    {"sum", AggregateFn::Sum},
    {"avg", AggregateFn::Avg},
    {"min", AggregateFn::Min},
    {"max", AggregateFn::Max},
    {"first", AggregateFn::First},
    {"last", AggregateFn::Last},
    {"variance", AggregateFn::Variance},
    {"variance_sample", AggregateFn::VarianceSample},
    {"stddev", AggregateFn::Stddev},
    {"stddev_sample", AggregateFn::StddevSample},
    {"distinct", AggregateFn::Distinct},
    {"any", AggregateFn::Any},
    {"all", AggregateFn::All},
    {"arg_min", AggregateFn::ArgMin},
    {"arg_max", AggregateFn::ArgMax},
    {"median", AggregateFn::Quantile},
    {"quantile", AggregateFn::Quantile},
    {"collect", AggregateFn::Collect},
    {"top", AggregateFn::Top},
    {"string_agg", AggregateFn::StringAgg},
    {"approx_distinct", AggregateFn::ApproxDistinct},
};
constexpr std::string_view later_aggregates[] = {"rank"};
// Of what an aggregate keeps of one group.
constexpr int64_t most_max = 1'000'000;
constexpr std::string_view later_functions[] = {"arrival_time", "reveal", "each_update", "keys", "values"};

const AggregateName* find_aggregate(std::string_view name) {
  for (const AggregateName& entry : aggregate_names) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

struct BuiltinName {
  std::string_view name;
  Builtin builtin;
};
constexpr BuiltinName builtin_names[] = {
#define MUT_BUILTIN(id, name) {name, Builtin::id},
#include "runtime/abi/builtins.def"
#undef MUT_BUILTIN
};

// `xs.any(x => …)`; `any(x)` is an aggregate, or of a list of bools.
bool is_list_call(std::string_view name, const std::vector<const ast::Expr*>& args) {
  if (name == "map" || name == "filter" || name == "reduce") return true;
  if (name == "sort") return args.size() == 2;
  return (name == "any" || name == "all") && args.size() == 2;
}

Kind conversion_kind(std::string_view name) {
  constexpr std::pair<std::string_view, Kind> kinds[] = {
      {"int", Kind::Int},   {"float", Kind::Float}, {"string", Kind::String}, {"bool", Kind::Bool},
      {"time", Kind::Time}, {"i8", Kind::I8},       {"i16", Kind::I16},       {"i32", Kind::I32},
      {"u8", Kind::U8},     {"u16", Kind::U16},     {"u32", Kind::U32},       {"u64", Kind::U64},
      {"f32", Kind::F32}};
  for (const auto& [kind_name, kind] : kinds) {
    if (kind_name == name) return kind;
  }
  return Kind::Error;
}

}  // namespace

// One call. Lives as long as its check; a friend of ExprChecker because a call is an expression.
struct CallChecker {
  ExprChecker& checker;
  const ast::Call& node;
  const ast::Expr& expr;
  Scope& scope;
  TypeRef hint;
  std::vector<const ast::Expr*> args{};
  const Names* module = nullptr;  // in which the function is looked for; null: here

  diag::Engine& diags() { return checker.diags_; }
  TypeRef type(Kind kind) { return checker.type(kind); }
  ExprPtr error() { return checker.error(expr.span); }

  ExprPtr check() {
    module = checker.module_of(node.receiver.get(), scope);
    if (node.receiver && module == nullptr) args.push_back(node.receiver.get());
    bool own_name = checker.names_->functions.contains(node.function.text) || module != nullptr;
    if (!own_name && node.function.text == "parse_time") return checker.check_parse_time(node, expr, scope);
    if (!own_name && node.function.text == "format_time") return checker.check_format_time(node, expr, scope);
    for (const ast::Argument& arg : node.args) {
      if (arg.name) {
        diags().report(Code::UnknownOption, arg.name->span, node.function.text, arg.name->text);
        return error();
      }
      args.push_back(arg.value.get());
    }
    const std::string& name = node.function.text;
    const Names& names = module != nullptr ? *module : checker.names();
    if (module != nullptr && !names.functions.contains(name) && find_own() == nullptr) {
      if (module->broken) return error();
      std::vector<std::string> candidates = keys_of(names.functions);
      for (const std::string& own : keys_of(names.aggregates)) candidates.push_back(own);
      const std::string& shown = std::get<ast::NameRef>(node.receiver->node).name.text;
      auto report = diags().report(Code::NotInThatModule, node.function.span, shown, name);
      if (auto near = diag::did_you_mean(name, candidates))
        report.note("did you mean `" + *near + "`?").fix(node.function.span, *near);
      return error();
    }
    if (node.history) return check_history();
    if (names.functions.contains(name)) return check_function(names.functions.find(name)->second);
    if (name == "prev" || name == "delta" || name == "changed") return check_history();
    for (std::string_view later : later_aggregates) {
      if (later == name && (scope.place == Place::AggregateItem || scope.place == Place::EventHistory)) {
        return not_executable("aggregate `" + name + "`");
      }
    }
    if (const auto* own = find_own()) return check_own(*own);
    if (is_list_call(name, args)) return checker.check_list_call(node, args, expr, scope);
    const AggregateName* aggregate = find_aggregate(name);
    if (aggregate != nullptr && scope.place == Place::Pattern) {
      if (ExprPtr measure = check_measure(*aggregate)) return measure;
    }
    if (aggregate != nullptr && is_aggregate_call(aggregate->fn)) {
      if (scope.place == Place::AggregateItem) return check_aggregate(*aggregate);
      if (scope.place == Place::AggregateArgument) {
        diags().report(Code::AggregateNested, expr.span);
        return error();
      }
      if (!is_builtin(name) || args.size() <= 1) {
        // `max(x)` outside of a group: an aggregate without `over`, unless x is a list.
        bool of_bools = name == "any" || name == "all";
        if (args.size() == 1 && (is_builtin(name) || of_bools)) {
          ExprPtr value = checker.check(*args[0], scope);
          if (value->type->kind == Kind::List || value->type->kind == Kind::Error) {
            return of_bools ? checker.check_list_call(node, args, expr, scope) : check_builtin();
          }
        }
        diags()
            .report(Code::AggregateOutside, expr.span, name)
            .note("write `" + name + "(…) over last 10m`, or use `| aggregate`");
        return error();
      }
    }
    if (node.filter) {
      diags().report(Code::UnexpectedToken, node.filter->span, "`where`", "`)`");
      return error();
    }
    if (Kind kind = conversion_kind(name); kind != Kind::Error) return check_conversion(kind);
    if (name == "decimal") return checker.check_decimal_call(args, expr, scope);
    if (is_builtin(name)) return check_builtin();
    for (std::string_view later : later_functions) {
      if (later == name) return not_executable("function `" + name + "`");
    }
    std::vector<std::string> candidates = keys_of(checker.names_->functions);
    for (const std::string& own : keys_of(checker.names_->aggregates)) candidates.push_back(own);
    for (const BuiltinName& entry : builtin_names) candidates.emplace_back(entry.name);
    for (const AggregateName& entry : aggregate_names) candidates.emplace_back(entry.name);
    auto report = diags().report(Code::UnknownFunction, node.function.span, name);
    if (auto advice = written_here(name)) {
      report.note(std::string(*advice));
    } else if (auto near = diag::did_you_mean(name, candidates)) {
      report.note("did you mean `" + *near + "`?").fix(node.function.span, *near);
    }
    const auto* receiver = node.receiver ? std::get_if<ast::NameRef>(&node.receiver->node) : nullptr;
    if (receiver != nullptr && checker.names_->modules.contains(receiver->name.text))
      report.note("a field or name hides the module `" + receiver->name.text + "`; import it `as` another");
    return error();
  }

  // What an aggregate or history sees of this place: the event, nothing that is bound around it.
  Scope of_events() const {
    Scope out = scope;
    out.beyond.insert(out.beyond.end(), out.locals.begin(), out.locals.end());
    out.locals.clear();
    return out;
  }

  const Homed<ast::AggregateDecl>* find_own() const {
    const Names& names = module != nullptr ? *module : checker.names();
    auto found = names.aggregates.find(node.function.text);
    return found == names.aggregates.end() ? nullptr : &found->second;
  }

  ExprPtr check_own(const Homed<ast::AggregateDecl>& own) {
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

  ExprPtr not_executable(const std::string& what) {
    diags().report(Code::NotExecutable, expr.span, what);
    return error();
  }

  static bool is_builtin(std::string_view name) {
    return std::any_of(std::begin(builtin_names), std::end(builtin_names),
                       [&](const BuiltinName& entry) { return entry.name == name; });
  }

  // Rule 5.9: `min(a, b)` is scalar, `min(x)` with one scalar an aggregate.
  bool is_aggregate_call(AggregateFn fn) const {
    if (fn >= AggregateFn::ArgMin && fn <= AggregateFn::StringAgg) return true;
    return args.size() <= 1;
  }

  bool count_is(size_t least, size_t most) {
    if (args.size() >= least && args.size() <= most) return true;
    std::string wanted = least == most ? fmt::format("{} argument{}", least, least == 1 ? "" : "s")
                                       : fmt::format("{} to {} arguments", least, most);
    diags().report(Code::ArgumentCount, expr.span, node.function.text, wanted, std::to_string(args.size()));
    return false;
  }

  // ---- functions of the script

  ExprPtr check_function(const Homed<ast::FnDecl>& declared) {
    const ast::FnDecl& fn = *declared.decl;
    auto& stack = checker.call_stack_;
    if (std::find(stack.begin(), stack.end(), &fn) != stack.end()) {
      diags()
          .report(Code::RecursiveFunction, node.function.span, fn.name.text)
          .note(fn.name.span, "declared here");
      return error();
    }
    if (stack.size() >= call_depth_max) {
      diags().report(Code::TooMany, expr.span, "calls nested " + std::to_string(stack.size() + 1) + " deep",
                     std::to_string(call_depth_max));
      return error();
    }
    if (!count_is(fn.params.size(), fn.params.size())) return error();
    TypeResolver resolver(*declared.home, checker.types_, diags());
    Scope inner;  // the body sees its parameters, params and consts only
    inner.place = Place::Event;
    std::vector<std::pair<int, ExprPtr>> bound;
    for (size_t i = 0; i < fn.params.size(); ++i) {
      TypeRef wanted = fn.params[i].type ? resolver.resolve(*fn.params[i].type) : nullptr;
      ExprPtr value =
          wanted != nullptr ? checker.check_as(*args[i], scope, wanted) : checker.check(*args[i], scope);
      int index = checker.local_count_++;
      inner.locals.push_back({fn.params[i].name.text, index,
                              value->type->kind == Kind::Error && wanted != nullptr ? wanted : value->type});
      bound.emplace_back(index, std::move(value));
    }
    stack.push_back(&fn);
    ExprChecker::Context caller = checker.context();
    checker.set_context({declared.home, nullptr});
    TypeRef result_type = fn.result ? resolver.resolve(*fn.result) : nullptr;
    ExprPtr result = fn.body ? checker.check(*fn.body, inner, result_type) : error();
    if (result_type != nullptr) result = checker.coerce(std::move(result), result_type);
    checker.set_context(caller);
    stack.pop_back();
    for (auto let = bound.rbegin(); let != bound.rend(); ++let) {
      ExprPtr out = checker.make(ExprKind::Let, result->type, expr.span);
      out->index = let->first;
      out->args.push_back(std::move(let->second));
      out->args.push_back(std::move(result));
      result = std::move(out);
    }
    return result;
  }

  // ---- conversions: `int(x)` is `x as int`; `float(x)` rounds

  ExprPtr check_conversion(Kind kind) {
    if (!count_is(1, 1)) return error();
    ExprPtr value = checker.check(*args[0], scope);
    if (value->type->kind == Kind::Error) return value;
    value = checker.need_value(std::move(value), "a value");
    if (value->type->kind == Kind::Error) return value;
    if (value->type->kind == Kind::Json && kind == Kind::String) {  // rule 3.20: as it is written
      std::vector<ExprPtr> values;
      values.push_back(std::move(value));
      return call(Builtin::JsonText, type(Kind::String), std::move(values));
    }
    if (value->type->kind == Kind::Decimal && kind == Kind::Float) {  // to the nearest
      std::vector<ExprPtr> values;
      values.push_back(std::move(value));
      return call(Builtin::DecimalToFloat, type(Kind::Float), std::move(values));
    }
    return checker.cast(std::move(value), type(kind), false, expr.span);
  }

  // ---- built-in functions

  ExprPtr call(Builtin builtin, TypeRef result, std::vector<ExprPtr> values) {
    ExprPtr out = checker.make(ExprKind::Call, result, expr.span);
    out->builtin = builtin;
    out->args = std::move(values);
    return out;
  }

  bool argument_is(const ExprPtr& value, size_t index, bool fine, std::string_view wanted) {
    if (value->type->kind == Kind::Error) return false;
    if (fine) return true;
    if (value->type->kind == Kind::Decimal && wanted == "`float`") {
      diags()
          .report(Code::ArgumentType, value->span, std::to_string(index + 1), node.function.text,
                  std::string(wanted), quoted(value->type))
          .note("write `float(x)`: the nearest float");
      return false;
    }
    if (value->type->kind == Kind::Optional) {
      diags()
          .report(Code::MayBeNone, value->span, std::string(wanted))
          .note("say what `none` means with `?? default`, or test it with `is some`");
    } else {
      diags().report(Code::ArgumentType, value->span, std::to_string(index + 1), node.function.text,
                     std::string(wanted), quoted(value->type));
    }
    return false;
  }

  // All arguments converted to `kind`.
  ExprPtr uniform(Builtin builtin, Kind kind, size_t count, Kind result) {
    if (!count_is(count, count)) return error();
    std::vector<ExprPtr> values;
    for (size_t i = 0; i < args.size(); ++i) {
      ExprPtr value = checker.check(*args[i], scope, type(kind));
      if (!argument_is(value, i, checker.converts(value->type, type(kind)), quoted(type(kind))))
        return error();
      values.push_back(checker.coerce(std::move(value), type(kind)));
    }
    return call(builtin, type(result), std::move(values));
  }

  // In UTC, or as clocks of a zone show it.
  ExprPtr time_part(Builtin builtin) {
    if (!count_is(1, 2)) return error();
    ExprPtr time = checker.check(*args[0], scope, type(Kind::Time));
    if (!argument_is(time, 0, checker.converts(time->type, type(Kind::Time)), quoted(type(Kind::Time))))
      return error();
    time = checker.coerce(std::move(time), type(Kind::Time));
    if (args.size() == 2) time = checker.in_zone(Builtin::ToLocal, std::move(time), *args[1]);
    if (time->type->kind == Kind::Error) return error();
    std::vector<ExprPtr> values;
    values.push_back(std::move(time));
    return call(builtin, type(Kind::Int), std::move(values));
  }

  // Numbers of one type: int when all are, else float.
  ExprPtr numeric(Builtin builtin, size_t least, size_t most, bool ordered) {
    if (!count_is(least, most)) return error();
    std::vector<ExprPtr> values;
    TypeRef joined = hint != nullptr && hint->kind == Kind::Float ? hint : nullptr;
    TypeRef literal_hint = nullptr;
    std::vector<ExprPtr> checked;
    for (const ast::Expr* arg : args) {
      checked.push_back(
          checker.promote(checker.check(*arg, scope, checker.hint_beside(*arg, literal_hint, literal_hint))));
      TypeRef next = checked.back()->type;
      literal_hint = literal_hint == nullptr ? next : checker.unify(literal_hint, next);
    }
    checker.recheck_numbers(args, scope, checked);
    bool decimals = std::any_of(checked.begin(), checked.end(),
                                [](const ExprPtr& value) { return is_decimal(value->type); });
    if (decimals) joined = nullptr;
    for (size_t i = 0; i < args.size(); ++i) {
      ExprPtr value = std::move(checked[i]);
      Kind kind = value->type->kind;
      bool fine = kind == Kind::Int || kind == Kind::Float || kind == Kind::U64 || kind == Kind::Duration ||
                  kind == Kind::Decimal || (ordered && typed::is_ordered(value->type) && kind != Kind::Error);
      if (!argument_is(value, i, fine, ordered ? "an ordered value" : "a number")) return error();
      TypeRef next = joined == nullptr ? value->type : checker.unify(joined, value->type);
      if (next == nullptr) {
        diags().report(Code::BranchTypes, value->span, quoted(joined), quoted(value->type));
        return error();
      }
      joined = next;
      values.push_back(std::move(value));
    }
    for (ExprPtr& value : values) value = checker.coerce(std::move(value), joined);
    return call(builtin, joined, std::move(values));
  }

  ExprPtr check_builtin() {
    std::vector<Builtin> matching;
    for (const BuiltinName& entry : builtin_names) {
      if (entry.name == node.function.text) matching.push_back(entry.builtin);
    }
    // `sum first last min max contains len` also name list functions.
    bool draws = matching[0] >= Builtin::Pick;
    if (draws && scope.place != Place::Generate) {
      diags()
          .report(Code::UnknownFunction, node.function.span, node.function.text)
          .note("seeded draws stand only in `generate(…) { … }`");
      return error();
    }
    switch (matching[0]) {
      case Builtin::Abs:
      case Builtin::Sign:
        return numeric(matching[0], 1, 1, false);
      case Builtin::Min:
      case Builtin::Max:
        if (args.size() == 1) return list_function(matching[1]);
        return numeric(matching[0], 2, 64, true);
      case Builtin::Clamp:
        return numeric(Builtin::Clamp, 3, 3, true);
      case Builtin::Round:
        return args.size() == 2 ? round_digits() : round_whole(Builtin::Round);
      case Builtin::Trunc:
      case Builtin::Floor:
      case Builtin::Ceil:
        return round_whole(matching[0]);
      case Builtin::Sqrt:
      case Builtin::Exp:
      case Builtin::Log:
      case Builtin::Log2:
      case Builtin::Log10:
      case Builtin::Sin:
      case Builtin::Cos:
      case Builtin::Tan:
      case Builtin::Erf:
      case Builtin::Erfc:
      case Builtin::Logistic:
        return uniform(matching[0], Kind::Float, 1, Kind::Float);
      case Builtin::Pow:
      case Builtin::Atan2:
        return uniform(matching[0], Kind::Float, 2, Kind::Float);
      case Builtin::IsNan:
        return uniform(Builtin::IsNan, Kind::Float, 1, Kind::Bool);
      case Builtin::Mod:
      case Builtin::BitAnd:
      case Builtin::BitOr:
      case Builtin::BitXor:
      case Builtin::ShiftLeft:
      case Builtin::ShiftRight:
        return uniform(matching[0], Kind::Int, 2, Kind::Int);
      case Builtin::BitNot:
        return uniform(Builtin::BitNot, Kind::Int, 1, Kind::Int);
      case Builtin::Hash:
        return hash();
      case Builtin::Lower:
      case Builtin::Upper:
      case Builtin::Trim:
        return uniform(matching[0], Kind::String, 1, Kind::String);
      case Builtin::ToJson: {
        if (!count_is(1, 1)) return error();
        std::vector<ExprPtr> values;
        values.push_back(checker.check(*args[0], scope));
        if (values[0]->type->kind == Kind::Error) return error();
        if (values[0]->type->kind == Kind::None) {
          diags().report(Code::CannotInferType, args[0]->span);
          return error();
        }
        return call(Builtin::ToJson, type(Kind::Json), std::move(values));
      }
      case Builtin::Matches:
      case Builtin::Capture:
        return count_is(2, 2) ? checker.check_regex_call(matching[0], args, expr, scope) : error();
      case Builtin::Replace:
        if (args.size() == 3 && checker.regex_of(*args[1]) != nullptr)
          return checker.check_regex_call(Builtin::ReplaceRegex, args, expr, scope);
        return uniform(Builtin::Replace, Kind::String, 3, Kind::String);
      case Builtin::StartsWith:
      case Builtin::EndsWith:
        return uniform(matching[0], Kind::String, 2, Kind::Bool);
      case Builtin::Slice:
        return slice();
      case Builtin::Split: {
        ExprPtr out = uniform(Builtin::Split, Kind::String, 2, Kind::String);
        if (out->kind == ExprKind::Call) out->type = checker.types_.list(type(Kind::String));
        return out;
      }
      case Builtin::Join:
      case Builtin::Len:
      case Builtin::Get:
      case Builtin::ListSum:
      case Builtin::ListFirst:
      case Builtin::ListLast:
      case Builtin::Append:
      case Builtin::Concat:
      case Builtin::Contains:
      case Builtin::ListSort:
      case Builtin::Reverse:
        return list_function(matching[0]);
      case Builtin::EventTime:
        return count_is(0, 0) ? call(Builtin::EventTime, type(Kind::Time), {}) : error();
      case Builtin::Year:
      case Builtin::Month:
      case Builtin::Day:
      case Builtin::Hour:
      case Builtin::Minute:
      case Builtin::Second:
      case Builtin::Weekday:
        return time_part(matching[0]);
      case Builtin::Pick:
        return pick();
      case Builtin::Uniform:
      case Builtin::Normal:
      case Builtin::Lognormal:
        return uniform(matching[0], Kind::Float, 2, Kind::Float);
      case Builtin::Chance:
        return uniform(Builtin::Chance, Kind::Float, 1, Kind::Bool);
      default:
        return error();
    }
  }

  ExprPtr round_whole(Builtin builtin) {
    if (!count_is(1, 1)) return error();
    ExprPtr value = checker.check(*args[0], scope, is_decimal(hint) ? nullptr : type(Kind::Float));
    if (value->type->kind == Kind::Decimal)
      return checker.round_decimal(builtin, std::move(value), nullptr, expr.span);
    if (!argument_is(value, 0, checker.converts(value->type, type(Kind::Float)), "`float`")) return error();
    std::vector<ExprPtr> values;
    values.push_back(checker.coerce(std::move(value), type(Kind::Float)));
    return call(builtin, type(Kind::Float), std::move(values));
  }

  ExprPtr round_digits() {
    ExprPtr value = checker.check(*args[0], scope, is_decimal(hint) ? hint : type(Kind::Float));
    if (value->type->kind == Kind::Decimal || (is_decimal(hint) && checker.promote_kind(value) == Kind::Int))
      return checker.round_decimal(Builtin::Round, checker.as_decimal(checker.promote(std::move(value))),
                                   args[1], expr.span);
    if (!argument_is(value, 0, checker.converts(value->type, type(Kind::Float)), "`float`")) return error();
    ExprPtr digits = checker.check_as(*args[1], scope, type(Kind::Int));
    std::vector<ExprPtr> values;
    values.push_back(checker.coerce(std::move(value), type(Kind::Float)));
    values.push_back(std::move(digits));
    return call(Builtin::Round, type(Kind::Float), std::move(values));
  }

  ExprPtr hash() {
    if (!count_is(1, 1)) return error();
    ExprPtr value = checker.promote(checker.check(*args[0], scope));
    Kind kind = value->type->kind;
    bool fine = kind == Kind::Int || kind == Kind::U64 || kind == Kind::Float || kind == Kind::String ||
                kind == Kind::Time || kind == Kind::Duration || kind == Kind::Bool || kind == Kind::Bytes ||
                kind == Kind::Decimal;
    if (!argument_is(value, 0, fine, "a number, text, bytes, bool or time")) return error();
    std::vector<ExprPtr> values;
    values.push_back(std::move(value));
    return call(Builtin::Hash, type(Kind::Int), std::move(values));
  }

  ExprPtr slice() {
    if (!count_is(3, 3)) return error();
    std::vector<ExprPtr> values;
    values.push_back(checker.check_as(*args[0], scope, type(Kind::String)));
    values.push_back(checker.check_as(*args[1], scope, type(Kind::Int)));
    values.push_back(checker.check_as(*args[2], scope, type(Kind::Int)));
    return call(Builtin::Slice, type(Kind::String), std::move(values));
  }

  ExprPtr list_function(Builtin builtin) {
    size_t count = builtin == Builtin::Get || builtin == Builtin::Append || builtin == Builtin::Concat ||
                           builtin == Builtin::Contains || builtin == Builtin::Join
                       ? 2
                       : 1;
    if (!count_is(count, count)) return error();
    ExprPtr list = checker.check(*args[0], scope);
    TypeRef list_type = list->type;
    if (builtin == Builtin::Contains && list_type->kind == Kind::String)
      return uniform(Builtin::Contains, Kind::String, 2, Kind::Bool);
    if (builtin == Builtin::Len && (list_type->kind == Kind::String || list_type->kind == Kind::Bytes)) {
      std::vector<ExprPtr> values;
      values.push_back(std::move(list));
      return call(Builtin::Len, type(Kind::Int), std::move(values));
    }
    if (!argument_is(list, 0, list_type->kind == Kind::List, "a list")) return error();
    TypeRef element = list_type->element;
    std::vector<ExprPtr> values;
    values.push_back(std::move(list));
    switch (builtin) {
      case Builtin::Len:
        return call(builtin, type(Kind::Int), std::move(values));
      case Builtin::Get:
        values.push_back(checker.check_as(*args[1], scope, type(Kind::Int)));
        return call(builtin, checker.types_.optional(element), std::move(values));
      case Builtin::Append:
        values.push_back(checker.check_as(*args[1], scope, element));
        return call(builtin, list_type, std::move(values));
      case Builtin::Concat:
        values.push_back(checker.check_as(*args[1], scope, list_type));
        return call(builtin, list_type, std::move(values));
      case Builtin::Contains:
        if (!typed::has_equality(element)) {
          diags().report(Code::NoEquality, expr.span, quoted(element));
          return error();
        }
        values.push_back(checker.check_as(*args[1], scope, element));
        return call(builtin, type(Kind::Bool), std::move(values));
      case Builtin::Join:
        if (!argument_is(values[0], 0, element->kind == Kind::String, "`[string]`")) return error();
        values.push_back(checker.check_as(*args[1], scope, type(Kind::String)));
        return call(builtin, type(Kind::String), std::move(values));
      case Builtin::ListSum:
        if (!argument_is(values[0], 0,
                         element->kind == Kind::Int || element->kind == Kind::Float ||
                             element->kind == Kind::Duration || element->kind == Kind::Decimal,
                         "a list of numbers")) {
          return error();
        }
        return call(builtin, element, std::move(values));
      case Builtin::ListSort:
        if (!argument_is(values[0], 0, typed::is_ordered(element), "a list of ordered values"))
          return error();
        return call(builtin, list_type, std::move(values));
      case Builtin::Reverse:
        return call(builtin, list_type, std::move(values));
      case Builtin::ListMin:
      case Builtin::ListMax:
        if (!argument_is(values[0], 0, typed::is_ordered(element), "a list of ordered values"))
          return error();
        return call(builtin, checker.types_.optional(element), std::move(values));
      default:
        return call(builtin, checker.types_.optional(element), std::move(values));
    }
  }

  // `pick(0..5000)`: an int with both ends; `pick(["a", "b"])`: one of a list.
  ExprPtr pick() {
    if (!count_is(1, 1)) return error();
    std::vector<ExprPtr> values;
    if (const auto* range = std::get_if<ast::RangeExpr>(&args[0]->node)) {
      values.push_back(checker.check_as(*range->low, scope, type(Kind::Int)));
      values.push_back(checker.check_as(*range->high, scope, type(Kind::Int)));
      return call(Builtin::Pick, type(Kind::Int), std::move(values));
    }
    ExprPtr list = checker.check(*args[0], scope);
    if (!argument_is(
            list, 0,
            list->type->kind == Kind::List && list->kind == ExprKind::MakeList && !list->args.empty(),
            "a range or a list that is not empty")) {
      return error();
    }
    TypeRef element = list->type->element;
    values.push_back(std::move(list));
    return call(Builtin::Pick, element, std::move(values));
  }

  // ---- aggregates

  // Result type by rules 7.6 and 7.7; `maybe_empty`: the aggregate may see no value at all.
  bool finish_aggregate(typed::AggregateCall& out, bool maybe_empty) {
    bool real = out.fn == AggregateFn::Quantile ||
                (out.fn >= AggregateFn::Variance && out.fn <= AggregateFn::StddevSample);
    if (real && out.argument && is_decimal(out.argument->type)) {
      diags()
          .report(Code::NotExecutable, expr.span, "`" + node.function.text + "` of a decimal")
          .note("write `" + node.function.text + "(float(x))`: of the nearest floats");
      return false;
    }
    TypeRef value = out.argument ? out.argument->type : nullptr;
    if (value != nullptr && value->kind == Kind::Error) return false;
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
        return wanted(typed::has_equality(value) && inner->kind != Kind::List && inner->kind != Kind::Record,
                      "a value that can be compared");
      case AggregateFn::Sum:
        out.result = inner;
        return wanted(inner->kind == Kind::Int || inner->kind == Kind::Float ||
                          inner->kind == Kind::Duration || inner->kind == Kind::Decimal,
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
        return wanted(inner->kind != Kind::List && inner->kind != Kind::Record, "a scalar");
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
        return wanted(inner->kind != Kind::List && inner->kind != Kind::Record, "a scalar");
      case AggregateFn::Quantile:
        out.result = maybe(type(Kind::Float));
        return wanted(inner->kind == Kind::Float, "a number");
      case AggregateFn::Collect:
        out.result = maybe(checker.types_.list(inner));
        return wanted(inner->kind != Kind::List && inner->kind != Kind::Record, "a scalar");
      case AggregateFn::Top:
        out.result = maybe(checker.types_.list(inner));
        return wanted(typed::is_ordered(inner), "an ordered value");
      case AggregateFn::StringAgg:
        out.result = maybe(type(Kind::String));
        return wanted(inner->kind == Kind::String, "`string`");
      case AggregateFn::Prev:
        out.result = checker.types_.optional(inner);
        return wanted(inner->kind != Kind::List && inner->kind != Kind::Record, "a scalar");
      case AggregateFn::Own:
        return true;
      case AggregateFn::Changed:
        out.result = type(Kind::Bool);
        return wanted(typed::has_equality(value) && inner->kind != Kind::List && inner->kind != Kind::Record,
                      "a value that can be compared");
      case AggregateFn::Delta:
        out.result = checker.types_.optional(inner->kind == Kind::Time ? type(Kind::Duration) : inner);
        return wanted(!optional && (inner->kind == Kind::Int || inner->kind == Kind::Float ||
                                    inner->kind == Kind::Decimal || inner->kind == Kind::Time ||
                                    inner->kind == Kind::Duration),
                      "a number, time or duration");
    }
    return false;
  }

  // The numbers an aggregate works on: int, float; avg and its kin take floats.
  ExprPtr aggregate_argument(AggregateFn fn, const ast::Expr& arg, Scope& inner) {
    ExprPtr value = checker.check(arg, inner);
    TypeRef scalar = value->type->kind == Kind::Optional ? value->type->element : value->type;
    bool floats = fn == AggregateFn::Avg || fn == AggregateFn::Quantile ||
                  (fn >= AggregateFn::Variance && fn <= AggregateFn::StddevSample);
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

  bool argument_count_fits(AggregateFn fn) {
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

  // Arguments that are the same for all events: quantile(x, q), collect(x, n), top(x, n), string_agg(x, sep,
  // n).
  bool fill_numbers(typed::AggregateCall& out) {
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

  bool fill_aggregate(AggregateFn fn, typed::AggregateCall& out, Scope& inner) {
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

  static std::string cell_name(const std::string& prefix, const char* fn,
                               const std::vector<std::string>& taken) {
    std::string base = prefix.empty() ? fn : prefix + "/" + fn;
    std::string name = base;
    for (int number = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++number)
      name = fmt::format("{}#{}", base, number);
    return name;
  }

  ExprPtr check_aggregate(const AggregateName& aggregate) {
    typed::AggregateCall out;
    Scope inner = of_events();
    inner.place = Place::AggregateArgument;
    if (!fill_aggregate(aggregate.fn, out, inner) || !finish_aggregate(out, scope.may_be_empty_window))
      return error();
    return add_aggregate(std::move(out), typed::aggregate_name(aggregate.fn));
  }

  ExprPtr add_aggregate(typed::AggregateCall out, const char* name) {
    std::vector<std::string> taken;
    for (const typed::AggregateCall& other : *scope.aggregates) taken.push_back(other.cell);
    out.cell = cell_name(scope.cell, name, taken);
    ExprPtr result = checker.make(ExprKind::Aggregate, out.result, expr.span);
    result->index = static_cast<int>(scope.aggregates->size());
    scope.aggregates->push_back(std::move(out));
    return result;
  }

  // An aggregate over the events that a pattern has bound to a name; null when it is about none.
  ExprPtr check_measure(const AggregateName& aggregate) {
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
    bool list =
        out.fn == AggregateFn::Collect || out.fn == AggregateFn::Top || out.fn == AggregateFn::StringAgg;
    if (list && scope.pattern->current >= 0)
      return not_executable("`" + node.function.text + "` in the `define` of a pattern");
    const BoundName& of = scope.pattern->names[static_cast<size_t>(measured.name)];
    bool may_lack = of.optional || measured.name == scope.pattern->current;
    if (!finish_aggregate(out, may_lack)) return error();
    return checker.add_measure(std::move(out), measured.name, scope, expr.span);
  }

  // ---- history

  ExprPtr check_history() {
    const std::string& name = node.function.text;
    if (scope.place != Place::EventHistory) {
      diags()
          .report(Code::HistoryNotAllowed, expr.span)
          .note("history stands in `with`, `where` and `select`");
      return error();
    }
    typed::History history;
    AggregateFn fn = AggregateFn::Count;
    const Homed<ast::AggregateDecl>* own = nullptr;
    bool previous = name == "prev" || name == "delta" || name == "changed";
    if (previous) {
      fn = name == "prev" ? AggregateFn::Prev : name == "delta" ? AggregateFn::Delta : AggregateFn::Changed;
      if (node.history && node.history->over != ast::OverKind::None) {
        diags()
            .report(Code::HistoryNotAllowed, node.history->span)
            .note("`" + name + "` looks at the event before this one; leave out `over …`");
        return error();
      }
    } else if ((own = find_own()) != nullptr) {
      fn = AggregateFn::Own;
    } else if (const AggregateName* aggregate = find_aggregate(name)) {
      fn = aggregate->fn;
    } else {
      for (std::string_view later : later_aggregates) {
        if (later == name) return not_executable("aggregate `" + name + "`");
      }
      auto report = diags().report(Code::UnknownFunction, node.function.span, name);
      std::vector<std::string> candidates;
      for (const AggregateName& entry : aggregate_names) candidates.emplace_back(entry.name);
      if (auto near = diag::did_you_mean(name, candidates))
        report.note("did you mean `" + *near + "`?").fix(node.function.span, *near);
      return error();
    }
    Scope inner = of_events();
    inner.place = Place::AggregateArgument;  // no history inside history
    if (own != nullptr ? !checker.fill_own(*own, args, node, expr.span, inner, history.call)
                       : !fill_aggregate(fn, history.call, inner))
      return error();
    if (!fill_over(history, inner, previous)) return error();
    if (own != nullptr &&
        (history.over == typed::OverKind::LastDuration || history.over == typed::OverKind::LastEvents)) {
      for (TypeRef parameter : history.call.own->parameter_types) {
        if (parameter->kind == Kind::Optional)
          return not_executable("a parameter of type `" + parameter->text + "` in `over last`");
      }
    }
    bool floor = history.excluding_current;
    if (own == nullptr && !finish_aggregate(history.call, floor)) return error();
    std::vector<std::string> taken;
    for (const typed::History& other : *scope.histories) taken.push_back(other.call.cell);
    history.call.cell =
        cell_name(scope.cell, own != nullptr ? name.c_str() : typed::aggregate_name(fn), taken);
    ExprPtr result = checker.make(ExprKind::History, history.call.result, expr.span);
    result->index = static_cast<int>(scope.histories->size());
    scope.histories->push_back(std::move(history));
    return result;
  }

  bool fill_over(typed::History& history, Scope& inner, bool previous) {
    history.over = previous ? typed::OverKind::Previous : typed::OverKind::All;
    if (!node.history) return true;
    const ast::HistoryClause& clause = *node.history;
    if (clause.over == ast::OverKind::LastDuration || clause.over == ast::OverKind::LastEvents) {
      // `over last limit`: a const of either type says which it is.
      auto amount = checker.check_constant(*clause.amount);
      if (!amount) return false;
      bool duration = amount->type->kind == Kind::Duration;
      if (!duration && amount->type->kind != Kind::Int) {
        diags().report(Code::TypeMismatch, clause.amount->span, "a duration or a number of events",
                       quoted(amount->type));
        return false;
      }
      history.over = duration ? typed::OverKind::LastDuration : typed::OverKind::LastEvents;
      history.amount = amount->value.as_int();
      if (history.amount <= 0) {
        diags().report(Code::BadWindow, clause.amount->span, "a window must be longer than nothing");
        return false;
      }
      if (!duration && history.amount > 1'000'000) {
        diags().report(Code::TooMany, clause.amount->span, "window of more than 1000000 events", "1000000");
        return false;
      }
    }
    for (const ast::Path& path : clause.by) {
      ast::Expr name{path.parts[0].span, ast::NameRef{path.parts[0]}};
      ExprPtr key = checker.check(name, inner);
      for (size_t i = 1; i < path.parts.size(); ++i)
        key = checker.member(std::move(key), path.parts[i], false, path.span);
      if (key->type->kind == Kind::Error) return false;
      if (!typed::has_equality(key->type) || key->type->kind == Kind::List ||
          key->type->kind == Kind::Record) {
        diags().report(Code::NoEquality, path.span, quoted(key->type));
        return false;
      }
      history.keys.push_back(std::move(key));
    }
    history.excluding_current = clause.excluding_current;
    if (clause.ttl && !std::holds_alternative<ast::NoneLit>(clause.ttl->node)) {
      auto ttl = checker.check_constant(*clause.ttl, type(Kind::Duration));
      if (!ttl) return false;
      history.ttl = ttl->value.as_int();
    }
    return true;
  }
};

ExprPtr ExprChecker::visit(const ast::Call& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  return CallChecker{*this, node, expr, scope, hint}.check();
}

}  // namespace mut::sema
