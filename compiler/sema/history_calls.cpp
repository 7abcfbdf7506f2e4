// Calls that look at events before this one.

#include "compiler/sema/call_checker.h"

namespace mut::sema {

using diag::Code;
using typed::AggregateFn;
using typed::Builtin;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

ExprPtr CallChecker::check_history() {
  const std::string& name = node.function.text;
  if (scope.place != Place::EventHistory) {
    diags().report(Code::HistoryNotAllowed, expr.span).note("history stands in `with`, `where` and `select`");
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
  } else if (name == "rank") {
    fn = AggregateFn::Rank;
  } else if (const AggregateName* aggregate = find_aggregate(name)) {
    fn = aggregate->fn;
  } else {
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
  history.call.cell = cell_name(scope.cell, own != nullptr ? name.c_str() : typed::aggregate_name(fn), taken);
  ExprPtr result = checker.make(ExprKind::History, history.call.result, expr.span);
  result->index = static_cast<int>(scope.histories->size());
  scope.histories->push_back(std::move(history));
  return result;
}

bool CallChecker::fill_over(typed::History& history, Scope& inner, bool previous) {
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
    if (!typed::is_key(key->type)) {
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

}  // namespace mut::sema
