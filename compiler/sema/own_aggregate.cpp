// Aggregates of the script, checked anew for each call: its arguments decide what is kept of an event.
#include <algorithm>
#include <utility>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::ExprPtr;
using typed::Kind;
using typed::OwnAggregate;
using typed::OwnState;
using typed::TypeRef;

namespace {

// Whether it says what each value of it is: not so of `[]`.
bool is_known(TypeRef type) {
  if (type->kind == Kind::None) return false;
  if (type->kind == Kind::Record) {
    return std::all_of(type->fields.begin(), type->fields.end(),
                       [](const typed::Field& field) { return is_known(field.type); });
  }
  return type->element == nullptr || is_known(type->element);
}

}  // namespace

// What the event brings: one value a parameter. A literal is no part of what is kept of events.
bool ExprChecker::bind_own(const ast::AggregateDecl& decl, const Names& home,
                           const std::vector<const ast::Expr*>& args, Scope& scope, OwnUse& use,
                           typed::AggregateCall& out) {
  for (size_t i = 0; i < args.size(); ++i) {
    const ast::Parameter& parameter = decl.params[i];
    if (!parameter.type) {
      diags_.report(Code::CannotInferType, parameter.name.span);
      return false;
    }
    TypeRef wanted = TypeResolver(home, types_, diags_).resolve(*parameter.type);
    if (wanted->kind == Kind::Error) return false;
    ExprPtr value = check(*args[i], scope, wanted);
    // Rule 7.6: what is none is skipped, unless the parameter takes it.
    bool skips = value->type->kind == Kind::Optional && wanted->kind != Kind::Optional;
    value = coerce(std::move(value), skips ? types_.optional(wanted) : wanted);
    if (value->type->kind == Kind::Error) return false;
    LocalName local{parameter.name.text, local_count_++, wanted};
    use.event.push_back(local);
    if (fold_constant(*value)) {
      use.fixed.push_back(local);
      use.made->constants.emplace_back(local.index, std::move(value));
      continue;
    }
    if (typed::has_secret(wanted)) {
      secret_use(*value, "no aggregate keeps but `count`");
      return false;
    }
    use.made->parameters.push_back(local.index);
    use.made->parameter_types.push_back(wanted);
    out.arguments.push_back(std::move(value));
  }
  return true;
}

bool ExprChecker::check_own_states(const ast::AggregateDecl& decl, OwnUse& use) {
  if (decl.state.empty()) {
    diags_.report(Code::MissingOption, decl.name.span, decl.name.text, "`state`");
    return false;
  }
  for (const ast::StateVariable& variable : decl.state) {
    TypeRef wanted = variable.type ? TypeResolver(*names_, types_, diags_).resolve(*variable.type) : nullptr;
    Scope nothing;
    nothing.place = Place::Event;
    ExprPtr initial =
        wanted != nullptr ? check_as(*variable.initial, nothing, wanted) : check(*variable.initial, nothing);
    if (initial->type->kind == Kind::Error) return false;
    if (!is_known(initial->type)) {
      diags_.report(Code::CannotInferType, variable.name.span);
      return false;
    }
    for (const LocalName& other : use.states) {
      if (other.name != variable.name.text) continue;
      diags_.report(Code::FieldTwice, variable.name.span, variable.name.text);
      return false;
    }
    LocalName local{variable.name.text, local_count_++, initial->type};
    use.states.push_back(local);
    OwnState made;
    made.name = local.name;
    made.type = local.type;
    made.local = local.index;
    made.initial = std::move(initial);
    use.made->states.push_back(std::move(made));
  }
  return true;
}

// Assignments see the state before all of them; what is not assigned stays (rule 9.12).
bool ExprChecker::check_own_assigns(const std::vector<ast::AggregateAssign>& assigns, Scope& scope,
                                    const OwnUse& use, std::vector<ExprPtr>& out) {
  out.clear();
  out.resize(use.states.size());
  bool fine = true;
  for (const ast::AggregateAssign& assign : assigns) {
    size_t at = 0;
    while (at < use.states.size() && use.states[at].name != assign.name.text) ++at;
    if (at == use.states.size()) {
      std::vector<std::string> candidates;
      for (const LocalName& state : use.states) candidates.push_back(state.name);
      auto report = diags_.report(Code::UnknownName, assign.name.span, assign.name.text);
      if (auto near = diag::did_you_mean(assign.name.text, candidates))
        report.note("did you mean `" + *near + "`?").fix(assign.name.span, *near);
      fine = false;
      continue;
    }
    if (out[at]) {
      diags_.report(Code::FieldTwice, assign.name.span, assign.name.text);
      fine = false;
      continue;
    }
    out[at] = check_as(*assign.value, scope, use.states[at].type);
    fine = fine && out[at]->type->kind != Kind::Error;
  }
  for (size_t at = 0; at < out.size(); ++at) {
    if (out[at]) continue;
    out[at] = make(typed::ExprKind::Local, use.states[at].type, use.span);
    out[at]->index = use.states[at].index;
  }
  return fine;
}

bool ExprChecker::check_own_body(const ast::AggregateDecl& decl, OwnUse& use) {
  if (!check_own_states(decl, use)) return false;
  Scope scope;
  scope.place = Place::Event;
  scope.locals = use.event;
  scope.locals.insert(scope.locals.end(), use.states.begin(), use.states.end());
  bool fine = check_own_assigns(decl.add, scope, use, use.made->add);
  std::vector<ExprPtr> unused;
  if (!decl.remove.empty()) fine = check_own_assigns(decl.remove, scope, use, unused) && fine;
  if (!decl.merge.empty()) {
    std::vector<typed::Field> fields;
    for (const LocalName& state : use.states) {
      typed::Field field;
      field.name = state.name;
      field.type = state.type;
      fields.push_back(std::move(field));
    }
    Scope both;
    both.place = Place::Event;
    both.locals = use.fixed;
    both.locals.insert(both.locals.end(), use.states.begin(), use.states.end());
    use.made->other = local_count_++;
    use.made->other_type = types_.record(std::move(fields));
    both.locals.push_back({"other", use.made->other, use.made->other_type});
    fine = check_own_assigns(decl.merge, both, use, use.made->merge) && fine;
  }
  Scope last;
  last.place = Place::Event;
  last.locals = use.fixed;
  last.locals.insert(last.locals.end(), use.states.begin(), use.states.end());
  TypeRef wanted =
      decl.result_type ? TypeResolver(*names_, types_, diags_).resolve(*decl.result_type) : nullptr;
  use.made->result = wanted != nullptr ? check_as(*decl.result, last, wanted) : check(*decl.result, last);
  return fine && use.made->result->type->kind != Kind::Error;
}

void ExprChecker::check_own_alone(const ast::AggregateDecl& decl) {
  OwnUse use;
  use.span = decl.name.span;
  use.made = std::make_shared<OwnAggregate>();
  TypeResolver resolver(*names_, types_, diags_);
  for (const ast::Parameter& parameter : decl.params) {
    if (!parameter.type) {
      diags_.report(Code::CannotInferType, parameter.name.span);
      return;
    }
    LocalName local{parameter.name.text, local_count_++, resolver.resolve(*parameter.type)};
    use.event.push_back(local);
    use.fixed.push_back(local);  // `result` may read those that a call gives as constants
  }
  bool outer = std::exchange(in_own_aggregate_, true);
  if (!check_own_body(decl, use)) broken_own_.insert(&decl);
  in_own_aggregate_ = outer;
}

bool ExprChecker::fill_own(const Homed<ast::AggregateDecl>& declared,
                           const std::vector<const ast::Expr*>& args, const ast::Call& node, Span span,
                           Scope& scope, typed::AggregateCall& out) {
  const ast::AggregateDecl& decl = *declared.decl;
  if (broken_own_.contains(&decl)) return false;
  if (args.size() != decl.params.size()) {
    diags_
        .report(Code::ArgumentCount, span, decl.name.text,
                std::to_string(decl.params.size()) + (decl.params.size() == 1 ? " argument" : " arguments"),
                std::to_string(args.size()))
        .note(decl.name.span, "declared here");
    return false;
  }
  out.fn = typed::AggregateFn::Own;
  out.span = span;
  constexpr size_t parameters_max = 32;  // they share the 64 bits that mark the values of a sample
  if (args.size() > parameters_max) {
    diags_.report(Code::TooMany, decl.name.span, std::to_string(args.size()) + " parameters",
                  std::to_string(parameters_max));
    return false;
  }
  OwnUse use;
  use.span = span;
  use.made = std::make_shared<OwnAggregate>();
  use.made->name = decl.name.text;
  if (!bind_own(decl, *declared.home, args, scope, use, out)) return false;
  if (node.filter) {
    out.filter = check_condition(*node.filter, scope);
    if (out.filter->type->kind == Kind::Error) return false;
  }
  diag::Engine::Within within(diags_, node.function.span, "`" + decl.name.text + "` is used here");
  Context caller = context();
  set_context({declared.home, nullptr});
  bool outer = std::exchange(in_own_aggregate_, true);
  bool fine = check_own_body(decl, use);
  in_own_aggregate_ = outer;
  set_context(caller);
  if (!fine) return false;
  out.result = use.made->result->type;
  out.own = std::move(use.made);
  return true;
}

}  // namespace mut::sema
