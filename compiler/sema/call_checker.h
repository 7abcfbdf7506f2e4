// One call of an expression: its checks are in calls.cpp (which kind it is; functions of the script,
// conversions), builtin_calls.cpp, aggregate_calls.cpp and history_calls.cpp.
#pragma once

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

struct AggregateName {
  std::string_view name;
  typed::AggregateFn fn;
};
inline constexpr AggregateName aggregate_names[] = {
    {"count", typed::AggregateFn::Count},
    {"sum", typed::AggregateFn::Sum},
    {"avg", typed::AggregateFn::Avg},
    {"min", typed::AggregateFn::Min},
    {"max", typed::AggregateFn::Max},
    {"first", typed::AggregateFn::First},
    {"last", typed::AggregateFn::Last},
    {"variance", typed::AggregateFn::Variance},
    {"variance_sample", typed::AggregateFn::VarianceSample},
    {"stddev", typed::AggregateFn::Stddev},
    {"stddev_sample", typed::AggregateFn::StddevSample},
    {"distinct", typed::AggregateFn::Distinct},
    {"any", typed::AggregateFn::Any},
    {"all", typed::AggregateFn::All},
    {"arg_min", typed::AggregateFn::ArgMin},
    {"arg_max", typed::AggregateFn::ArgMax},
    {"median", typed::AggregateFn::Quantile},
    {"quantile", typed::AggregateFn::Quantile},
    {"collect", typed::AggregateFn::Collect},
    {"top", typed::AggregateFn::Top},
    {"string_agg", typed::AggregateFn::StringAgg},
    {"approx_distinct", typed::AggregateFn::ApproxDistinct},
};
// Aggregates of the language that this version refuses.
// Null: no aggregate of the language has that name.
const AggregateName* find_aggregate(std::string_view name);
// Whether the language has a function, a conversion or an aggregate of that name.
bool is_known_call(std::string_view name);

struct BuiltinName {
  std::string_view name;
  typed::Builtin builtin;
};
inline constexpr BuiltinName builtin_names[] = {
#define MUT_BUILTIN(id, name) {name, typed::Builtin::id},
#include "runtime/abi/builtins.def"
#undef MUT_BUILTIN
};

// Lives as long as its check; a friend of ExprChecker because a call is an expression.
struct CallChecker {
  using AggregateFn = typed::AggregateFn;
  using Builtin = typed::Builtin;
  using ExprPtr = typed::ExprPtr;
  using Kind = typed::Kind;
  using TypeRef = typed::TypeRef;

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

  ExprPtr check();
  // What an aggregate or history sees of this place: the event, nothing that is bound around it.
  Scope of_events() const;
  const Homed<ast::AggregateDecl>* find_own() const;
  ExprPtr not_executable(const std::string& what);
  static bool is_builtin(std::string_view name);
  // Rule 5.9: `min(a, b)` is scalar, `min(x)` with one scalar an aggregate.
  bool is_aggregate_call(AggregateFn fn) const;
  bool count_is(size_t least, size_t most);
  ExprPtr check_function(const Homed<ast::FnDecl>& declared);
  ExprPtr check_conversion(Kind kind);
  ExprPtr call(Builtin builtin, TypeRef result, std::vector<ExprPtr> values);
  bool argument_is(const ExprPtr& value, size_t index, bool fine, std::string_view wanted);

  // builtin_calls.cpp
  // All arguments converted to `kind`.
  ExprPtr uniform(Builtin builtin, Kind kind, size_t count, Kind result);
  // In UTC, or as clocks of a zone show it.
  ExprPtr time_part(Builtin builtin);
  // Numbers of one type: int when all are, else float.
  ExprPtr numeric(Builtin builtin, size_t least, size_t most, bool ordered);
  ExprPtr check_builtin();
  ExprPtr round_whole(Builtin builtin);
  ExprPtr round_digits();
  ExprPtr hash();
  ExprPtr slice();
  ExprPtr list_function(Builtin builtin);
  // Of maps, and of secrets: map_values.cpp.
  ExprPtr map_function(Builtin builtin);
  ExprPtr changed_map(Builtin builtin);
  ExprPtr put_first();
  ExprPtr map_function(Builtin builtin, ExprPtr map);
  ExprPtr reveal();
  // `pick(0..5000)`: an int with both ends; `pick(["a", "b"])`: one of a list.
  ExprPtr pick();

  // aggregate_calls.cpp
  ExprPtr check_own(const Homed<ast::AggregateDecl>& own);
  // Result type by rules 7.6 and 7.7; `maybe_empty`: the aggregate may see no value at all.
  bool finish_aggregate(typed::AggregateCall& out, bool maybe_empty);
  // The numbers an aggregate works on: int, float; avg and its kin take floats.
  ExprPtr nearest_float(ExprPtr value);
  ExprPtr aggregate_argument(AggregateFn fn, const ast::Expr& arg, Scope& inner);
  bool argument_count_fits(AggregateFn fn);
  // Arguments that are the same for all events: quantile(x, q), collect(x, n), top(x, n), string_agg(x, sep,
  // n).
  bool fill_numbers(typed::AggregateCall& out);
  bool fill_aggregate(AggregateFn fn, typed::AggregateCall& out, Scope& inner);
  static std::string cell_name(const std::string& prefix, const char* fn,
                               const std::vector<std::string>& taken);
  ExprPtr check_aggregate(const AggregateName& aggregate);
  ExprPtr add_aggregate(typed::AggregateCall out, const char* name);
  // An aggregate over the events that a pattern has bound to a name; null when it is about none.
  ExprPtr check_measure(const AggregateName& aggregate);

  // history_calls.cpp
  ExprPtr check_history();
  bool fill_over(typed::History& history, Scope& inner, bool previous);
};

}  // namespace mut::sema
