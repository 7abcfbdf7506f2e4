// Calls: which kind a call is; functions of the script, inlined here; conversions.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/call_checker.h"

namespace mut::sema {

using diag::Code;
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
  if (name == "insert" || name == "map_insert") return "a map with one key more is `put(m, key, value)`";
  if (name == "delete" || name == "erase") return "a map without a key is `remove(m, key)`";
  return std::nullopt;
}

// `xs.any(x => …)`; `any(x)` is an aggregate, or of a list of bools.
bool is_list_call(std::string_view name, const std::vector<const ast::Expr*>& args) {
  if (name == "map" || name == "filter" || name == "reduce") return true;
  if (name == "sort") return args.size() == 2;
  return (name == "any" || name == "all") && args.size() == 2;
}

// Whether what is written is a list that an aggregate gives, or a list made of one: `sum` of it is that of
// the list, not of events.
bool is_list_of_aggregate(const ast::Expr& written) {
  if (const auto* paren = std::get_if<ast::Paren>(&written.node)) return is_list_of_aggregate(*paren->inner);
  if (const auto* binary = std::get_if<ast::Binary>(&written.node))
    return binary->op == ast::BinaryOp::Coalesce && is_list_of_aggregate(*binary->left);
  const auto* call = std::get_if<ast::Call>(&written.node);
  if (call == nullptr || call->history) return false;
  const std::string& name = call->function.text;
  if (name == "collect" || name == "top") return true;
  constexpr std::string_view list_names[] = {"map", "filter", "sort", "reverse", "append", "concat"};
  if (std::find(std::begin(list_names), std::end(list_names), name) == std::end(list_names)) return false;
  const ast::Expr* first = call->receiver != nullptr ? call->receiver.get()
                           : call->args.empty()      ? nullptr
                                                     : call->args[0].value.get();
  return first != nullptr && is_list_of_aggregate(*first);
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

ExprPtr CallChecker::check() {
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
  if (const auto* own = find_own()) return check_own(*own);
  if (name == "rank") {
    diags()
        .report(Code::AggregateOutside, expr.span, name)
        .note(
            "it is the place of an event among others: write `rank(…) over last 10m` in `with`, `where` or "
            "`select`");
    return error();
  }
  if (is_list_call(name, args)) return checker.check_list_call(node, args, expr, scope);
  const AggregateName* aggregate = find_aggregate(name);
  bool over_groups = scope.place == Place::Pattern || scope.place == Place::AggregateItem;
  if (aggregate != nullptr && over_groups && args.size() == 1 && is_list_of_aggregate(*args[0])) {
    if (name == "any" || name == "all") return checker.check_list_call(node, args, expr, scope);
    if (is_builtin(name)) return check_builtin();
  }
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

Scope CallChecker::of_events() const {
  Scope out = scope;
  out.beyond.insert(out.beyond.end(), out.locals.begin(), out.locals.end());
  out.locals.clear();
  return out;
}

const Homed<ast::AggregateDecl>* CallChecker::find_own() const {
  const Names& names = module != nullptr ? *module : checker.names();
  auto found = names.aggregates.find(node.function.text);
  return found == names.aggregates.end() ? nullptr : &found->second;
}

ExprPtr CallChecker::not_executable(const std::string& what) {
  diags().report(Code::NotExecutable, expr.span, what);
  return error();
}

bool is_known_call(std::string_view name) {
  constexpr std::string_view others[] = {"prev",   "delta", "changed", "rank",       "map",        "filter",
                                         "reduce", "sort",  "decimal", "parse_time", "format_time"};
  return CallChecker::is_builtin(name) || conversion_kind(name) != Kind::Error ||
         find_aggregate(name) != nullptr ||
         std::find(std::begin(others), std::end(others), name) != std::end(others);
}

bool CallChecker::is_builtin(std::string_view name) {
  return std::any_of(std::begin(builtin_names), std::end(builtin_names),
                     [&](const BuiltinName& entry) { return entry.name == name; });
}

bool CallChecker::is_aggregate_call(AggregateFn fn) const {
  if (fn >= AggregateFn::ArgMin && fn <= AggregateFn::StringAgg) return true;
  return args.size() <= 1;
}

bool CallChecker::count_is(size_t least, size_t most) {
  if (args.size() >= least && args.size() <= most) return true;
  std::string wanted = least == most ? fmt::format("{} argument{}", least, least == 1 ? "" : "s")
                                     : fmt::format("{} to {} arguments", least, most);
  diags().report(Code::ArgumentCount, expr.span, node.function.text, wanted, std::to_string(args.size()));
  return false;
}

ExprPtr CallChecker::check_function(const Homed<ast::FnDecl>& declared) {
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

ExprPtr CallChecker::check_conversion(Kind kind) {
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
  if (value->type->kind == Kind::Int && kind == Kind::Float)  // to the nearest
    return checker.coerce(std::move(value), type(kind));
  return checker.cast(std::move(value), type(kind), false, expr.span);
}

ExprPtr CallChecker::call(Builtin builtin, TypeRef result, std::vector<ExprPtr> values) {
  ExprPtr out = checker.make(ExprKind::Call, result, expr.span);
  out->builtin = builtin;
  out->args = std::move(values);
  return out;
}

bool CallChecker::argument_is(const ExprPtr& value, size_t index, bool fine, std::string_view wanted) {
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
    auto report = diags().report(Code::ArgumentType, value->span, std::to_string(index + 1),
                                 node.function.text, std::string(wanted), quoted(value->type));
    if (value->type->kind == Kind::Secret) report.note("write `reveal(x)`: what the secret holds");
  }
  return false;
}

ExprPtr ExprChecker::visit(const ast::Call& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  return CallChecker{*this, node, expr, scope, hint}.check();
}

}  // namespace mut::sema
