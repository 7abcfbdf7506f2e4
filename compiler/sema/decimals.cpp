// Decimals: literals, arithmetic by scales (rule 3.6), rounding.
#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"
#include "runtime/decimal/decimal.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::Builtin;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::Op;
using typed::TypeRef;

namespace {

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

// The number that an expression writes; null: none.
const std::string* number_text(const ast::Expr& expr) {
  if (const auto* paren = std::get_if<ast::Paren>(&expr.node)) return number_text(*paren->inner);
  if (const auto* unary = std::get_if<ast::Unary>(&expr.node))
    return unary->op == ast::UnaryOp::Negate ? number_text(*unary->operand) : nullptr;
  if (const auto* whole = std::get_if<ast::IntLit>(&expr.node)) return &whole->text;
  const auto* real = std::get_if<ast::FloatLit>(&expr.node);
  return real == nullptr ? nullptr : &real->text;
}

// How many digits behind the point the numbers of `number` or `if c then number else number` have. Empty when
// it is anything else.
std::optional<int> written_scale(const ast::Expr& expr) {
  if (const auto* paren = std::get_if<ast::Paren>(&expr.node)) return written_scale(*paren->inner);
  if (const auto* choice = std::get_if<ast::If>(&expr.node)) {
    auto a = written_scale(*choice->then_value);
    auto b = written_scale(*choice->else_value);
    return a && b ? std::optional(std::max(*a, *b)) : std::nullopt;
  }
  const std::string* text = number_text(expr);
  return text == nullptr ? std::nullopt : decimal::scale_of(without_underscores(*text));
}

}  // namespace

bool chooses_numbers(const ast::Expr& expr) {
  return number_text(expr) == nullptr && written_scale(expr).has_value();
}

bool is_decimal(TypeRef type) { return type != nullptr && typed::without_none(type)->kind == Kind::Decimal; }

TypeRef ExprChecker::decimal_type(int scale, Span span) {
  if (scale <= typed::scale_max) return types_.decimal(scale);
  diags_.report(Code::DecimalScale, span, std::to_string(scale))
      .note("take digits off one side with `round(x, s)`");
  return type(Kind::Error);
}

ExprPtr ExprChecker::decimal_literal(const std::string& text, bool negative, TypeRef wanted, Span span) {
  auto units = decimal::parse(without_underscores(text), wanted->scale);
  if (!units) {
    diags_.report(Code::LiteralDoesNotFit, span, text, quoted(wanted));
    return error(span);
  }
  return literal(wanted, {typed::Const::Decimal{negative ? -*units : *units}}, span);
}

TypeRef ExprChecker::hint_beside(const ast::Expr& expr, TypeRef beside, TypeRef hint) {
  if (!is_decimal(beside)) return hint;
  auto scale = written_scale(expr);
  return scale ? types_.decimal(*scale) : hint;  // else the literal says that it does not fit
}

void ExprChecker::recheck_numbers(const std::vector<const ast::Expr*>& written, Scope& scope,
                                  std::vector<ExprPtr>& checked) {
  auto decimal = std::find_if(checked.begin(), checked.end(), [](const ExprPtr& value) {
    return value->kind != ExprKind::Literal && is_decimal(value->type);
  });
  // `decimal(12.34, 2)` is one of its own, though a literal.
  if (decimal == checked.end()) {
    decimal = std::find_if(checked.begin(), checked.end(),
                           [](const ExprPtr& value) { return is_decimal(value->type); });
  }
  if (decimal == checked.end()) return;
  TypeRef beside = (*decimal)->type;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written_scale(*written[i]) && !is_decimal(checked[i]->type))
      checked[i] = check(*written[i], scope, hint_beside(*written[i], beside, beside));
  }
}

void ExprChecker::recheck_beside(const ast::Expr& a_written, const ast::Expr& b_written, Scope& scope,
                                 TypeRef hint, ExprPtr& a, ExprPtr& b) {
  if (is_decimal(hint)) return;
  std::vector<ExprPtr> both;
  both.push_back(std::move(a));
  both.push_back(std::move(b));
  recheck_numbers({&a_written, &b_written}, scope, both);
  a = std::move(both[0]);
  b = std::move(both[1]);
}

ExprPtr ExprChecker::as_key(ExprPtr expr, TypeRef target) {
  TypeRef optional = types_.optional(target);
  if (typed::same(typed::without_none(expr->type), target)) return coerce(std::move(expr), optional);
  ExprPtr out = make(ExprKind::CastOptional, optional, expr->span);
  out->args.push_back(std::move(expr));
  return out;
}

ExprPtr ExprChecker::as_decimal(ExprPtr expr) {
  if (expr->type->kind == Kind::Int) return coerce(std::move(expr), types_.decimal(0));
  return expr;
}

void ExprChecker::align_decimals(ExprPtr& a, ExprPtr& b) {
  if (a->type->kind != Kind::Decimal || b->type->kind != Kind::Decimal) return;
  ExprPtr& few = a->type->scale < b->type->scale ? a : b;
  TypeRef wanted = (a->type->scale < b->type->scale ? b : a)->type;
  bool widened_int = few->kind == ExprKind::Convert && few->args[0]->type->kind == Kind::Int;
  if (widened_int && !typed::widening_can_fail(few->args[0]->type, wanted)) few->type = wanted;
  if (few->kind != ExprKind::Literal) return;
  auto units =
      decimal::rescale(few->value.as_decimal(), few->type->scale, wanted->scale, decimal::Rounding::Exact);
  if (!units) return;
  few->value.value = typed::Const::Decimal{*units};
  few->type = wanted;
}

ExprPtr ExprChecker::decimal_arithmetic(const ast::Binary& node, Op op, ExprPtr left, ExprPtr right,
                                        Span span) {
  left = as_decimal(std::move(left));
  right = as_decimal(std::move(right));
  if (op != Op::Multiply && op != Op::Divide) align_decimals(left, right);
  int a = left->type->scale;
  int b = right->type->scale;
  int scale = op == Op::Multiply ? a + b : std::max(a, b);
  if (op == Op::Divide) scale += decimal::quotient_digits;
  TypeRef result = decimal_type(scale, node.op_span);
  if (result->kind == Kind::Error) return error(span);
  ExprPtr out = make(ExprKind::Binary, result, span);
  out->op = op;
  out->args.push_back(std::move(left));
  out->args.push_back(std::move(right));
  return out;
}

std::optional<int> ExprChecker::scale_argument(const ast::Expr& expr) {
  auto scale = check_constant(expr, type(Kind::Int));
  if (!scale) return std::nullopt;
  int64_t value = scale->value.as_int();
  if (value >= 0 && value <= typed::scale_max) return static_cast<int>(value);
  diags_.report(Code::DecimalScale, expr.span, std::to_string(value));
  return std::nullopt;
}

ExprPtr ExprChecker::round_decimal(Builtin builtin, ExprPtr value, const ast::Expr* digits, Span span) {
  int scale = 0;
  if (digits != nullptr) {
    auto wanted = scale_argument(*digits);
    if (!wanted) return error(span);
    scale = *wanted;
  }
  ExprPtr out = make(ExprKind::Call, types_.decimal(scale), span);
  out->builtin = builtin;
  out->args.push_back(std::move(value));
  return out;
}

ExprPtr ExprChecker::check_decimal_call(const std::vector<const ast::Expr*>& args, const ast::Expr& expr,
                                        Scope& scope) {
  if (args.size() != 2) {
    diags_.report(Code::ArgumentCount, expr.span, "decimal", "2 arguments", std::to_string(args.size()))
        .note("`decimal(x, 2)` is `x as decimal(2)`");
    return error(expr.span);
  }
  auto scale = scale_argument(*args[1]);
  if (!scale) return error(expr.span);
  TypeRef target = types_.decimal(*scale);
  // What is calculated is cast when it is known; a number alone is one of these.
  TypeRef hint = number_text(*args[0]) != nullptr ? target : nullptr;
  ExprPtr value = need_value(check(*args[0], scope, hint), "a value");
  return cast(std::move(value), target, false, expr.span);
}

}  // namespace mut::sema
