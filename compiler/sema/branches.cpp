// Branches and bindings: `is none`, `is some`, `if`, `match`, `try`, blocks.

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::Op;
using typed::TypeRef;

ExprPtr ExprChecker::visit(const ast::IsNone& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  ExprPtr value = check(*node.value, scope);
  if (value->type->kind == Kind::Error) return error(expr.span);
  if (value->type->kind != Kind::Optional && value->type->kind != Kind::None) {
    diags_.report(Code::NeverNone, node.value->span);
    return literal(type(Kind::Bool), {node.negated}, expr.span);
  }
  ExprPtr out = make(ExprKind::IsNone, type(Kind::Bool), expr.span);
  out->args.push_back(std::move(value));
  if (!node.negated) return out;
  ExprPtr negated = make(ExprKind::Unary, type(Kind::Bool), expr.span);
  negated->op = Op::Not;
  negated->args.push_back(std::move(out));
  return negated;
}

ExprPtr ExprChecker::visit(const ast::IsSome& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  ExprPtr value = check(*node.value, scope);
  if (value->type->kind == Kind::Error) return error(expr.span);
  if (value->type->kind != Kind::Optional) {
    diags_.report(Code::TypeMismatch, node.value->span, "a value that may be `none`", quoted(value->type));
    return error(expr.span);
  }
  ExprPtr out = make(ExprKind::IsSome, type(Kind::Bool), expr.span);
  out->index = local_count_++;
  scope.locals.push_back({node.binding.text, out->index, value->type->element});
  out->args.push_back(std::move(value));
  return out;
}

namespace {

// `none`, `[none]`, `[]`: the type of another branch says what it is.
bool is_undecided(TypeRef type) {
  return type->kind == Kind::None || (type->kind == Kind::List && is_undecided(type->element));
}

}  // namespace

ExprPtr ExprChecker::visit(const ast::If& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  size_t locals = scope.locals.size();
  ExprPtr condition = check_condition(*node.condition, scope);
  ExprPtr then_value = check(*node.then_value, scope, hint);
  scope.locals.resize(locals);
  TypeRef else_hint = hint != nullptr ? hint
                      : takes_hint(*node.else_value) && !is_undecided(then_value->type)
                          ? hint_beside(*node.else_value, then_value->type, hint_of(*then_value))
                          : nullptr;
  ExprPtr else_value = check(*node.else_value, scope, else_hint);
  scope.locals.resize(locals);
  // `if c then 0 else x`: the literal takes the type of the other branch.
  if (hint == nullptr && takes_hint(*node.then_value) && !takes_hint(*node.else_value) &&
      !typed::same(then_value->type, else_value->type)) {
    then_value =
        check(*node.then_value, scope, hint_beside(*node.then_value, else_value->type, hint_of(*else_value)));
  }
  recheck_beside(*node.then_value, *node.else_value, scope, hint, then_value, else_value);
  auto take_other = [&](const ast::Expr& written, ExprPtr& value, const Expr& other) {
    if (value->type->kind != Kind::List || !is_undecided(value->type) || is_undecided(other.type)) return;
    if (TypeRef both = unify(value->type, other.type)) value = check(written, scope, both);
  };
  take_other(*node.then_value, then_value, *else_value);
  take_other(*node.else_value, else_value, *then_value);
  TypeRef joined = join_branches(then_value, else_value);
  ExprPtr out = make(ExprKind::If, joined, expr.span);
  out->args.push_back(std::move(condition));
  out->args.push_back(std::move(then_value));
  out->args.push_back(std::move(else_value));
  return out;
}

ExprPtr ExprChecker::visit(const ast::Try& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  ExprPtr value = check(*node.value, scope, hint);
  ExprPtr otherwise =
      check(*node.otherwise, scope,
            hint != nullptr ? hint : hint_beside(*node.otherwise, value->type, hint_of(*value)));
  recheck_beside(*node.value, *node.otherwise, scope, hint, value, otherwise);
  TypeRef joined = join_branches(value, otherwise);
  ExprPtr out = make(ExprKind::Try, joined, expr.span);
  out->args.push_back(std::move(value));
  out->args.push_back(std::move(otherwise));
  return out;
}

ExprPtr ExprChecker::visit(const ast::Block& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  size_t locals = scope.locals.size();
  std::vector<std::pair<int, ExprPtr>> bound;
  for (const ast::LetBinding& let : node.lets) {
    if (scope.record != nullptr && scope.record->field_index(let.name.text) >= 0) {
      diags_.report(Code::LetHidesField, let.name.span, let.name.text);
    }
    ExprPtr value = check(*let.value, scope);
    if (value->type->kind == Kind::None) {
      diags_.report(Code::CannotInferType, let.value->span);
      value = error(let.value->span);
    }
    int index = local_count_++;
    scope.locals.push_back({let.name.text, index, value->type});
    bound.emplace_back(index, std::move(value));
  }
  ExprPtr result = check(*node.result, scope, hint);
  scope.locals.resize(locals);
  for (auto let = bound.rbegin(); let != bound.rend(); ++let) {
    ExprPtr out = make(ExprKind::Let, result->type, expr.span);
    out->index = let->first;
    out->args.push_back(std::move(let->second));
    out->args.push_back(std::move(result));
    result = std::move(out);
  }
  return result;
}

// ---- match: a chain of ifs over the subject, evaluated once

ExprPtr ExprChecker::pattern_condition(const ast::Pattern& pattern, const Expr& subject, Scope& scope) {
  ast::Binary place{ast::BinaryOp::Equal, pattern.span, nullptr, nullptr};
  if (std::holds_alternative<ast::NonePattern>(pattern.node)) {
    ExprPtr out = make(ExprKind::IsNone, type(Kind::Bool), pattern.span);
    out->args.push_back(typed::clone(subject));
    if (subject.type->kind != Kind::Optional) {
      diags_.report(Code::TypeMismatch, pattern.span, quoted(subject.type), "`none`");
      return error(pattern.span);
    }
    return out;
  }
  if (const auto* some = std::get_if<ast::SomePattern>(&pattern.node)) {
    if (subject.type->kind != Kind::Optional) {
      diags_.report(Code::TypeMismatch, pattern.span, quoted(subject.type), "a value that may be `none`");
      return error(pattern.span);
    }
    ExprPtr out = make(ExprKind::IsSome, type(Kind::Bool), pattern.span);
    out->index = local_count_++;
    scope.locals.push_back({some->binding.text, out->index, subject.type->element});
    out->args.push_back(typed::clone(subject));
    return out;
  }
  // A literal of an optional subject matches the value inside.
  auto compare = [&](Op op, const ast::Expr& literal_expr) {
    if (const auto* name = std::get_if<ast::NameRef>(&literal_expr.node);
        name != nullptr && typed::without_none(subject.type)->kind == Kind::Enum) {
      const std::vector<std::string>& values = typed::without_none(subject.type)->values;
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] == name->name.text) {
          return check_comparison(
              place, op, typed::clone(subject),
              literal(typed::without_none(subject.type), {static_cast<int64_t>(i)}, literal_expr.span),
              pattern.span);
        }
      }
    }
    ExprPtr value = check(literal_expr, scope, hint_beside(literal_expr, subject.type, subject.type));
    if (value->type->kind == Kind::Error) return value;
    if (op != Op::Equal && subject.type->kind == Kind::Optional)
      return need_value(typed::clone(subject), "a value to compare");
    return check_comparison(place, op, typed::clone(subject), std::move(value), pattern.span);
  };
  if (const auto* value = std::get_if<ast::LiteralPattern>(&pattern.node))
    return compare(Op::Equal, *value->value);
  const auto& range = std::get<ast::RangePattern>(pattern.node);
  ExprPtr out = make(ExprKind::Binary, type(Kind::Bool), pattern.span);
  out->op = Op::And;
  out->args.push_back(compare(Op::GreaterEqual, *range.low));
  out->args.push_back(compare(Op::LessEqual, *range.high));
  return out;
}

ExprPtr ExprChecker::visit(const ast::Match& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  ExprPtr subject = promote(check(*node.subject, scope));
  if (subject->type->kind == Kind::Error) return subject;
  TypeRef subject_type = subject->type;
  int local = local_count_++;
  ExprPtr name = make(ExprKind::Local, subject_type, node.subject->span);
  name->index = local;

  std::set<int64_t> covered;  // values of an enum or bool
  bool none_covered = subject_type->kind != Kind::Optional;
  bool some_covered = false;
  struct Arm {
    ExprPtr condition;  // null: else
    ExprPtr value;
  };
  std::vector<Arm> arms;
  TypeRef joined = nullptr;
  for (const ast::MatchArm& arm : node.arms) {
    size_t locals = scope.locals.size();
    ExprPtr condition;
    for (const ast::Pattern& pattern : arm.patterns) {
      ExprPtr next = pattern_condition(pattern, *name, scope);
      if (next->kind == ExprKind::Binary && next->op == Op::Equal && next->args.size() == 2) {
        const Expr* value = next->args[1].get();
        while (value->kind == ExprKind::Convert) value = value->args[0].get();
        if (value->kind == ExprKind::Literal && value->value.value.index() == 2)
          covered.insert(value->value.as_int());
        if (value->kind == ExprKind::Literal && value->value.value.index() == 1)
          covered.insert(value->value.as_bool() ? 1 : 0);
      }
      none_covered = none_covered || next->kind == ExprKind::IsNone;
      some_covered = some_covered || next->kind == ExprKind::IsSome;
      if (!condition) {
        condition = std::move(next);
        continue;
      }
      ExprPtr either = make(ExprKind::Binary, type(Kind::Bool), arm.span);
      either->op = Op::Or;
      either->args.push_back(std::move(condition));
      either->args.push_back(std::move(next));
      condition = std::move(either);
    }
    if (arm.patterns.size() > 1) scope.locals.resize(locals);
    TypeRef wanted = hint != nullptr && !is_decimal(joined) ? hint : joined;
    ExprPtr value =
        check(*arm.value, scope, hint_beside(*arm.value, is_decimal(hint) ? nullptr : joined, wanted));
    scope.locals.resize(locals);
    if (is_decimal(value->type) && joined != nullptr && !is_decimal(joined)) {
      // Numbers of the arms before it.
      joined = nullptr;
      for (size_t i = 0; i < arms.size(); ++i) {
        recheck_beside(*node.arms[i].value, *arm.value, scope, hint, arms[i].value, value);
        joined = joined == nullptr ? arms[i].value->type : unify(joined, arms[i].value->type);
        if (joined == nullptr) joined = arms[i].value->type;
      }
    }
    TypeRef next = joined == nullptr ? value->type : unify(joined, value->type);
    if (next == nullptr) {
      diags_.report(Code::BranchTypes, arm.value->span, quoted(joined), quoted(value->type));
      return error(expr.span);
    }
    joined = next;
    arms.push_back({arm.is_else ? nullptr : std::move(condition), std::move(value)});
  }
  if (arms.empty()) return error(expr.span);
  if (node.arms.back().is_else) {
    none_covered = some_covered = true;
  } else {
    TypeRef inner = typed::without_none(subject_type);
    std::string missing;
    if (!some_covered && inner->kind == Kind::Enum) {
      for (size_t i = 0; i < inner->values.size(); ++i) {
        if (!covered.contains(static_cast<int64_t>(i)))
          missing += (missing.empty() ? "`" : ", `") + inner->values[i] + "`";
      }
    } else if (!some_covered && inner->kind == Kind::Bool) {
      if (!covered.contains(1)) missing = "`true`";
      if (!covered.contains(0)) missing += missing.empty() ? "`false`" : ", `false`";
    } else if (!some_covered) {
      missing = "all values; add `else -> …`";
    }
    if (!none_covered) missing += missing.empty() ? "`none`" : ", `none`";
    if (!missing.empty()) {
      diags_.report(Code::NotExhaustive, expr.span, missing);
      return error(expr.span);
    }
  }
  ExprPtr result = coerce(std::move(arms.back().value), joined);
  bool binds = arms.back().condition && arms.back().condition->kind == ExprKind::IsSome;
  if (binds) {  // the last arm reads what its pattern binds
    ExprPtr unwrap = make(ExprKind::Unwrap, typed::without_none(subject_type), expr.span);
    unwrap->args.push_back(typed::clone(*name));
    ExprPtr bound = make(ExprKind::Let, joined, expr.span);
    bound->index = arms.back().condition->index;
    bound->args.push_back(std::move(unwrap));
    bound->args.push_back(std::move(result));
    result = std::move(bound);
  }
  for (size_t i = arms.size() - 1; i-- > 0;) {
    if (!arms[i].condition) {
      result = coerce(std::move(arms[i].value), joined);
      continue;
    }
    ExprPtr chosen = make(ExprKind::If, joined, expr.span);
    chosen->args.push_back(std::move(arms[i].condition));
    chosen->args.push_back(coerce(std::move(arms[i].value), joined));
    chosen->args.push_back(std::move(result));
    result = std::move(chosen);
  }
  ExprPtr out = make(ExprKind::Let, joined, expr.span);
  out->index = local;
  out->args.push_back(std::move(subject));
  out->args.push_back(std::move(result));
  return out;
}

}  // namespace mut::sema
