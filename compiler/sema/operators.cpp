// Operators with one and two sides.
#include <fmt/format.h>

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

namespace {

const char* op_text(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::Or:
      return "or";
    case ast::BinaryOp::And:
      return "and";
    case ast::BinaryOp::Equal:
      return "==";
    case ast::BinaryOp::NotEqual:
      return "!=";
    case ast::BinaryOp::Less:
      return "<";
    case ast::BinaryOp::LessEqual:
      return "<=";
    case ast::BinaryOp::Greater:
      return ">";
    case ast::BinaryOp::GreaterEqual:
      return ">=";
    case ast::BinaryOp::In:
      return "in";
    case ast::BinaryOp::NotIn:
      return "not in";
    case ast::BinaryOp::Matches:
      return "~";
    case ast::BinaryOp::Coalesce:
      return "??";
    case ast::BinaryOp::Add:
      return "+";
    case ast::BinaryOp::Subtract:
      return "-";
    case ast::BinaryOp::Multiply:
      return "*";
    case ast::BinaryOp::Divide:
      return "/";
    case ast::BinaryOp::Remainder:
      return "%";
  }
  return "?";
}

Op to_op(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::Or:
      return Op::Or;
    case ast::BinaryOp::And:
      return Op::And;
    case ast::BinaryOp::Equal:
      return Op::Equal;
    case ast::BinaryOp::NotEqual:
      return Op::NotEqual;
    case ast::BinaryOp::Less:
      return Op::Less;
    case ast::BinaryOp::LessEqual:
      return Op::LessEqual;
    case ast::BinaryOp::Greater:
      return Op::Greater;
    case ast::BinaryOp::GreaterEqual:
      return Op::GreaterEqual;
    case ast::BinaryOp::Subtract:
      return Op::Subtract;
    case ast::BinaryOp::Multiply:
      return Op::Multiply;
    case ast::BinaryOp::Divide:
      return Op::Divide;
    case ast::BinaryOp::Remainder:
      return Op::Remainder;
    default:
      return Op::Add;
  }
}

Kind promoted_kind(const Expr& expr) {
  return typed::is_small_int(expr.type->kind) ? Kind::Int : expr.type->kind;
}

}  // namespace

bool takes_hint(const ast::Expr& expr) {
  if (const auto* paren = std::get_if<ast::Paren>(&expr.node)) return takes_hint(*paren->inner);
  if (const auto* unary = std::get_if<ast::Unary>(&expr.node)) {
    return unary->op == ast::UnaryOp::Negate && takes_hint(*unary->operand);
  }
  return std::holds_alternative<ast::IntLit>(expr.node) || std::holds_alternative<ast::FloatLit>(expr.node) ||
         std::holds_alternative<ast::StringLit>(expr.node) ||
         std::holds_alternative<ast::NoneLit>(expr.node) || std::holds_alternative<ast::ListLit>(expr.node);
}

TypeRef hint_of(const Expr& expr) { return expr.type->kind == Kind::Error ? nullptr : expr.type; }

ExprPtr ExprChecker::visit(const ast::Unary& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  if (node.op == ast::UnaryOp::Not) {
    ExprPtr out = make(ExprKind::Unary, type(Kind::Bool), expr.span);
    out->op = Op::Not;
    size_t locals = scope.locals.size();
    out->args.push_back(check_condition(*node.operand, scope));
    scope.locals.resize(locals);
    return out;
  }
  if (const auto* number = std::get_if<ast::IntLit>(&node.operand->node)) {
    TypeRef wanted = hint == nullptr ? nullptr : typed::without_none(hint);
    Kind kind = wanted == nullptr ? Kind::Int : wanted->kind;
    if (kind != Kind::Float && kind != Kind::F32 && kind != Kind::Decimal) {
      if (number->value > uint64_t{1} << 63U) {
        diags_.report(Code::NumberOutOfRange, expr.span, "-" + number->text);
        return error(expr.span);
      }
      auto value = static_cast<int64_t>(~number->value + 1);
      if (!literal_fits(value, kind)) {
        diags_.report(Code::LiteralDoesNotFit, expr.span, "-" + number->text, quoted(wanted));
        return error(expr.span);
      }
      return literal(typed::is_integer(kind) ? wanted == nullptr ? type(Kind::Int) : wanted : type(Kind::Int),
                     {value}, expr.span);
    }
  }
  ExprPtr value = need_value(promote(check(*node.operand, scope, hint)), "a number");
  Kind kind = value->type->kind;
  if (kind == Kind::Error) return value;
  if (kind != Kind::Int && kind != Kind::Float && kind != Kind::Duration && kind != Kind::Decimal) {
    diags_.report(Code::OperatorType, expr.span, "-", quoted(value->type));
    return error(expr.span);
  }
  if (value->kind == ExprKind::Literal && kind == Kind::Float) {
    value->value.value = -value->value.as_float();
    value->span = expr.span;
    return value;
  }
  if (value->kind == ExprKind::Literal && kind == Kind::Decimal) {
    value->value.value = typed::Const::Decimal{-value->value.as_decimal()};
    value->span = expr.span;
    return value;
  }
  ExprPtr out = make(ExprKind::Unary, value->type, expr.span);
  out->op = Op::Negate;
  out->args.push_back(std::move(value));
  return out;
}

ExprPtr ExprChecker::visit(const ast::Binary& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  switch (node.op) {
    case ast::BinaryOp::And:
    case ast::BinaryOp::Or: {
      ExprPtr out = make(ExprKind::Binary, type(Kind::Bool), expr.span);
      out->op = to_op(node.op);
      // What `is some` binds on the left is seen right of `and`, and after it in a conjunction.
      size_t locals = scope.locals.size();
      out->args.push_back(check_condition(*node.left, scope));
      if (node.op == ast::BinaryOp::Or) scope.locals.resize(locals);
      out->args.push_back(check_condition(*node.right, scope));
      if (node.op == ast::BinaryOp::Or) scope.locals.resize(locals);
      return out;
    }
    case ast::BinaryOp::In:
    case ast::BinaryOp::NotIn:
      return check_membership(node, scope, expr.span);
    case ast::BinaryOp::Matches:
      return check_regex_call(typed::Builtin::Matches, {node.left.get(), node.right.get()}, expr, scope);
    case ast::BinaryOp::Coalesce:
      return check_coalesce(node, scope, hint, expr.span);
    default:
      break;
  }
  bool comparison = node.op >= ast::BinaryOp::Equal && node.op <= ast::BinaryOp::GreaterEqual;
  ExprPtr left;
  ExprPtr right;
  TypeRef outer = comparison ? nullptr : hint;
  // A literal is a decimal beside one, and beside an int where a decimal is wanted.
  auto beside = [&](const Expr& other) {
    return is_decimal(outer) && promoted_kind(other) == Kind::Int ? outer : other.type;
  };
  auto takes_type = [](const ast::Expr& side) { return takes_hint(side) || chooses_numbers(side); };
  auto type_beside = [&](const ast::Expr& side, const Expr& other) {
    TypeRef otherwise = takes_hint(side) ? hint_of(other) : outer;
    return hint_beside(side, beside(other), otherwise);
  };
  if (takes_hint(*node.left) && !takes_hint(*node.right)) {
    right = check(*node.right, scope, outer);
    left = check(*node.left, scope, type_beside(*node.left, *right));
  } else {
    auto kept = [&] {
      return (scope.histories == nullptr ? 0 : scope.histories->size()) +
             (scope.aggregates == nullptr ? 0 : scope.aggregates->size());
    };
    size_t kept_before = kept();
    left = check(*node.left, scope, hint_beside(*node.left, outer, outer));
    bool again = kept() == kept_before;  // nothing of it would be kept twice
    // The other operand of a time or duration is not of its type by itself.
    // Where a float is wanted of the whole, a decimal beside it takes none: `round(decimal(x, 2) * abs(9),
    // 2)`.
    bool float_wanted = outer != nullptr && outer->kind == Kind::Float;
    TypeRef alone = float_wanted && is_decimal(left->type) ? nullptr : outer;
    right = check(*node.right, scope, takes_type(*node.right) ? type_beside(*node.right, *left) : alone);
    if (again && float_wanted && left->type->kind == Kind::Float && is_decimal(right->type))
      left = check(*node.left, scope, nullptr);
  }
  if (left->type->kind == Kind::Error || right->type->kind == Kind::Error) return error(expr.span);
  if (comparison) return check_comparison(node, to_op(node.op), std::move(left), std::move(right), expr.span);
  return check_arithmetic(node, to_op(node.op), std::move(left), std::move(right), expr.span);
}

ExprPtr ExprChecker::check_arithmetic(const ast::Binary& node, Op op, ExprPtr left, ExprPtr right,
                                      Span span) {
  left = need_value(promote(std::move(left)), "a value");
  right = need_value(promote(std::move(right)), "a value");
  Kind a = left->type->kind;
  Kind b = right->type->kind;
  if (a == Kind::Error || b == Kind::Error) return error(span);
  auto finish = [&](Kind result) {
    ExprPtr out = make(ExprKind::Binary, type(result), span);
    out->op = op;
    out->args.push_back(std::move(left));
    out->args.push_back(std::move(right));
    return out;
  };
  bool add = op == Op::Add;
  bool subtract = op == Op::Subtract;
  if ((a == Kind::Int && b == Kind::Int) || (a == Kind::U64 && b == Kind::U64)) return finish(a);
  if ((a == Kind::Int || a == Kind::Float) && (b == Kind::Int || b == Kind::Float)) {
    left = coerce(std::move(left), type(Kind::Float));
    right = coerce(std::move(right), type(Kind::Float));
    return finish(Kind::Float);
  }
  bool whole_or_decimal = (a == Kind::Int || a == Kind::Decimal) && (b == Kind::Int || b == Kind::Decimal);
  if (whole_or_decimal) return decimal_arithmetic(node, op, std::move(left), std::move(right), span);
  if (a == Kind::String && b == Kind::String && add) return finish(Kind::String);
  if (a == Kind::Time && b == Kind::Time && subtract) return finish(Kind::Duration);
  if (a == Kind::Time && b == Kind::Duration && (add || subtract)) return finish(Kind::Time);
  if (a == Kind::Duration && b == Kind::Time && add) return finish(Kind::Time);
  if (a == Kind::Duration && b == Kind::Duration && (add || subtract || op == Op::Remainder))
    return finish(Kind::Duration);
  if (a == Kind::Duration && b == Kind::Duration && op == Op::Divide) return finish(Kind::Float);
  if (a == Kind::Duration && (b == Kind::Int || b == Kind::Float) &&
      (op == Op::Multiply || op == Op::Divide)) {
    return finish(Kind::Duration);
  }
  if ((a == Kind::Int || a == Kind::Float) && b == Kind::Duration && op == Op::Multiply)
    return finish(Kind::Duration);
  auto report = diags_.report(Code::OperatorTypes, node.op_span, op_text(node.op), quoted(left->type),
                              quoted(right->type));
  report.mark(left->span).mark(right->span);
  if ((a == Kind::Decimal && b == Kind::Float) || (a == Kind::Float && b == Kind::Decimal))
    report.note("a float is not exact: write `float(x)` of the decimal, or `x as decimal(2)` of the float");
  if ((a == Kind::String) != (b == Kind::String) && add)
    report.note("`+` joins text only; write \"{…}\" to put a value into text");
  return error(span);
}

ExprPtr ExprChecker::check_comparison(const ast::Binary& node, Op op, ExprPtr left, ExprPtr right,
                                      Span span) {
  bool equality = op == Op::Equal || op == Op::NotEqual;
  auto mismatch = [&] {
    auto report =
        diags_.report(Code::CompareTypeMismatch, node.op_span, quoted(left->type), quoted(right->type));
    report.mark(left->span).mark(right->span);
    Kind x = typed::without_none(left->type)->kind;
    Kind y = typed::without_none(right->type)->kind;
    if ((x == Kind::Decimal && y == Kind::Float) || (x == Kind::Float && y == Kind::Decimal))
      report.note("a float is not exact: write `float(x)` of the decimal, or `x as decimal(2)` of the float");
    return error(span);
  };
  left = promote(std::move(left));
  right = promote(std::move(right));
  if (equality) {
    if (!typed::has_equality(left->type) || !typed::has_equality(right->type)) {
      TypeRef wrong = typed::has_equality(left->type) ? right->type : left->type;
      auto report = diags_.report(Code::NoEquality, node.op_span, quoted(wrong));
      if (typed::has_secret(wrong)) report.note("write `reveal(x)` of what is secret");
      return error(span);
    }
  } else {
    left = need_value(std::move(left), "a value");
    right = need_value(std::move(right), "a value");
    if (left->type->kind == Kind::Error || right->type->kind == Kind::Error) return error(span);
    for (const ExprPtr* side : {&left, &right}) {
      if (!typed::is_ordered((*side)->type)) {
        diags_.report(Code::NoOrder, (*side)->span, quoted((*side)->type));
        return error(span);
      }
    }
  }
  Kind a = left->type->kind;
  Kind b = right->type->kind;
  // int against float is compared exactly (rule 3.5), so neither side is converted.
  bool mixed = (a == Kind::Int && b == Kind::Float) || (a == Kind::Float && b == Kind::Int);
  // So are decimals of different scales; one of them may be none.
  if (is_decimal(left->type) || is_decimal(right->type)) {
    left = as_decimal(std::move(left));
    right = as_decimal(std::move(right));
    align_decimals(left, right);
    if (is_decimal(left->type) && is_decimal(right->type)) {
      mixed = true;
      if (left->type->kind != right->type->kind) {
        TypeRef left_type = types_.optional(typed::without_none(left->type));
        TypeRef right_type = types_.optional(typed::without_none(right->type));
        left = coerce(std::move(left), left_type);
        right = coerce(std::move(right), right_type);
      }
    }
  }
  if (!mixed) {
    TypeRef joined = unify(left->type, right->type);
    if (joined == nullptr) return mismatch();
    left = coerce(std::move(left), joined);
    right = coerce(std::move(right), joined);
  }
  ExprPtr out = make(ExprKind::Binary, type(Kind::Bool), span);
  out->op = op;
  out->args.push_back(std::move(left));
  out->args.push_back(std::move(right));
  return out;
}

// `k in m` of a map: one of its keys.
ExprPtr ExprChecker::check_key_of(const ast::Binary& node, ExprPtr key, ExprPtr map, Scope& scope,
                                  Span span) {
  TypeRef wanted = map->type->key();
  if (takes_hint(*node.left)) key = check(*node.left, scope, wanted);
  key = coerce(std::move(key), wanted);
  if (key->type->kind == Kind::Error) return error(span);
  ExprPtr out = make(ExprKind::Call, type(Kind::Bool), span);
  out->builtin = typed::Builtin::Contains;
  out->args.push_back(std::move(map));
  out->args.push_back(std::move(key));
  return out;
}

ExprPtr ExprChecker::negated_if(bool negated, ExprPtr test) const {
  if (!negated) return test;
  ExprPtr out = make(ExprKind::Unary, type(Kind::Bool), test->span);
  out->op = Op::Not;
  out->args.push_back(std::move(test));
  return out;
}

// `x in lo..hi`, `x in [a, b]`: comparisons with x evaluated once.
ExprPtr ExprChecker::check_membership(const ast::Binary& node, Scope& scope, Span span) {
  bool negated = node.op == ast::BinaryOp::NotIn;
  const auto* range = std::get_if<ast::RangeExpr>(&node.right->node);
  const auto* list = std::get_if<ast::ListLit>(&node.right->node);
  ExprPtr value = need_value(check(*node.left, scope), "a value");
  if (value->type->kind == Kind::Error) return error(span);
  ExprPtr items = range == nullptr && list == nullptr ? check(*node.right, scope) : nullptr;
  if (items && items->type->kind == Kind::Map)
    return negated_if(negated, check_key_of(node, std::move(value), std::move(items), scope, span));
  value = promote(std::move(value));
  int local = local_count_++;
  TypeRef value_type = value->type;
  auto subject = [&] {
    ExprPtr out = make(ExprKind::Local, value_type, node.left->span);
    out->index = local;
    return out;
  };
  auto compare = [&](Op op, ExprPtr other) {
    return check_comparison(node, op, subject(), std::move(other), span);
  };
  auto combine = [&](Op op, ExprPtr a, ExprPtr b) {
    ExprPtr out = make(ExprKind::Binary, type(Kind::Bool), span);
    out->op = op;
    out->args.push_back(std::move(a));
    out->args.push_back(std::move(b));
    return out;
  };
  ExprPtr test;
  if (range != nullptr) {
    auto bound = [&](const ast::Expr& at) {
      return check(at, scope, hint_beside(at, value_type, value_type));
    };
    ExprPtr low = compare(Op::GreaterEqual, bound(*range->low));
    ExprPtr high = compare(Op::LessEqual, bound(*range->high));
    test = combine(Op::And, std::move(low), std::move(high));
  } else if (list != nullptr) {
    for (const ast::ExprPtr& item : list->items) {
      ExprPtr next = compare(Op::Equal, check(*item, scope, hint_beside(*item, value_type, value_type)));
      test = test ? combine(Op::Or, std::move(test), std::move(next)) : std::move(next);
    }
    if (!test) test = literal(type(Kind::Bool), {false}, span);
  } else {
    if (items->type->kind == Kind::Error) return error(span);
    if (items->type->kind != Kind::List || !typed::same(items->type->element, value_type)) {
      diags_.report(Code::TypeMismatch, node.right->span, "`[" + value_type->text + "]`",
                    quoted(items->type));
      return error(span);
    }
    test = make(ExprKind::Call, type(Kind::Bool), span);
    test->builtin = typed::Builtin::Contains;
    test->args.push_back(std::move(items));
    test->args.push_back(subject());
  }
  test = negated_if(negated, std::move(test));
  ExprPtr out = make(ExprKind::Let, type(Kind::Bool), span);
  out->index = local;
  out->args.push_back(std::move(value));
  out->args.push_back(std::move(test));
  return out;
}

ExprPtr ExprChecker::check_coalesce(const ast::Binary& node, Scope& scope, TypeRef hint, Span span) {
  ExprPtr left = check(*node.left, scope, hint);
  TypeRef inner = left->type->kind == Kind::Optional ? left->type->element : hint;
  ExprPtr right = check(*node.right, scope, is_decimal(hint) ? hint : hint_beside(*node.right, inner, inner));
  if (left->type->kind == Kind::Error || right->type->kind == Kind::Error) return error(span);
  if (left->type->kind == Kind::None) return right;
  if (left->type->kind != Kind::Optional) {
    diags_.report(Code::NeverNone, node.left->span);
    return left;
  }
  TypeRef joined = unify(left->type->element, right->type);
  if (joined == nullptr) {
    diags_.report(Code::BranchTypes, right->span, quoted(left->type->element), quoted(right->type))
        .mark(left->span);
    return error(span);
  }
  ExprPtr out = make(ExprKind::Coalesce, joined, span);
  out->args.push_back(coerce(std::move(left), types_.optional(typed::without_none(joined))));
  out->args.push_back(coerce(std::move(right), joined));
  return out;
}

}  // namespace mut::sema
