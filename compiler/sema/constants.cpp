// Values known while compiling: consts, params' first values, options, literals of tests.
#include <cmath>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"
#include "runtime/decimal/decimal.h"

namespace mut::sema {

using diag::Code;
using typed::Const;
using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;
using typed::TypeRef;

namespace {

std::optional<typed::Units> fold_decimals(const Expr& expr, typed::Units x, typed::Units y) {
  int x_scale = expr.args[0]->type->scale;
  int y_scale = expr.args[1]->type->scale;
  switch (expr.op) {
    case Op::Add:
      return decimal::add(x, x_scale, y, y_scale);
    case Op::Subtract:
      return decimal::subtract(x, x_scale, y, y_scale);
    case Op::Multiply:
      return decimal::multiply(x, y);
    case Op::Divide:
      return y == 0 ? std::nullopt : decimal::divide(x, x_scale, y, y_scale);
    case Op::Remainder:
      return y == 0 ? std::nullopt : std::optional(decimal::remainder(x, x_scale, y, y_scale));
    default:
      return std::nullopt;
  }
}

std::optional<Const> fold_binary(const Expr& expr) {
  auto a = fold_constant(*expr.args[0]);
  auto b = fold_constant(*expr.args[1]);
  if (!a || !b || a->value.index() != b->value.index()) return std::nullopt;
  if (a->value.index() == 2 && expr.type->kind != Kind::Float) {
    int64_t out = 0;
    int64_t x = a->as_int();
    int64_t y = b->as_int();
    switch (expr.op) {
      case Op::Add:
        return __builtin_add_overflow(x, y, &out) ? std::nullopt : std::optional<Const>({out});
      case Op::Subtract:
        return __builtin_sub_overflow(x, y, &out) ? std::nullopt : std::optional<Const>({out});
      case Op::Multiply:
        return __builtin_mul_overflow(x, y, &out) ? std::nullopt : std::optional<Const>({out});
      case Op::Divide:
        return y == 0 || (x == INT64_MIN && y == -1) ? std::nullopt : std::optional<Const>({x / y});
      case Op::Remainder:
        return y == 0 || y == -1 ? std::nullopt : std::optional<Const>({x % y});
      default:
        return std::nullopt;
    }
  }
  if (a->value.index() == 6) {
    auto units = fold_decimals(expr, a->as_decimal(), b->as_decimal());
    return units ? std::optional<Const>({Const::Decimal{*units}}) : std::nullopt;
  }
  if (a->value.index() == 3) {
    switch (expr.op) {
      case Op::Add:
        return Const{a->as_float() + b->as_float()};
      case Op::Subtract:
        return Const{a->as_float() - b->as_float()};
      case Op::Multiply:
        return Const{a->as_float() * b->as_float()};
      case Op::Divide:
        return Const{a->as_float() / b->as_float()};
      default:
        return std::nullopt;
    }
  }
  if (a->value.index() == 4 && expr.op == Op::Add) return Const{a->as_text() + b->as_text()};
  return std::nullopt;
}

std::optional<Const> convert_constant(const Const& value, TypeRef from, TypeRef to) {
  if (value.is_none()) return value;
  if (to->kind == Kind::Optional)
    return convert_constant(value, from->kind == Kind::Optional ? from->element : from, to->element);
  if (to->kind == Kind::Secret)
    return convert_constant(value, from->kind == Kind::Secret ? from->element : from, to->element);
  if (to->kind == Kind::Decimal) {
    bool whole = value.value.index() == 2;
    auto units = whole
                     ? decimal::rescale(value.as_int(), 0, to->scale, decimal::Rounding::Exact)
                     : decimal::rescale(value.as_decimal(), from->scale, to->scale, decimal::Rounding::Exact);
    return units ? std::optional<Const>({Const::Decimal{*units}}) : std::nullopt;
  }
  if (to->kind == Kind::Float && value.value.index() == 2) return Const{static_cast<double>(value.as_int())};
  if (to->kind == Kind::List || to->kind == Kind::Map) {
    Const::Parts parts;
    for (const Const& part : value.parts()) {
      auto converted = convert_constant(part, from->element, to->element);
      if (!converted) return std::nullopt;
      parts.push_back(std::move(*converted));
    }
    return Const{std::move(parts)};
  }
  if (to->kind == Kind::Record) {
    Const::Parts parts;
    for (const typed::Field& field : to->fields) {
      int index = from->field_index(field.name);
      if (index < 0) return std::nullopt;
      auto converted = convert_constant(value.parts()[static_cast<size_t>(index)],
                                        from->fields[static_cast<size_t>(index)].type, field.type);
      if (!converted) return std::nullopt;
      parts.push_back(std::move(*converted));
    }
    return Const{std::move(parts)};
  }
  return value;
}

}  // namespace

std::optional<Const> fold_constant(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Literal:
      return expr.value;
    case ExprKind::Convert: {
      auto value = fold_constant(*expr.args[0]);
      return value ? convert_constant(*value, expr.args[0]->type, expr.type) : std::nullopt;
    }
    case ExprKind::Unary: {
      auto value = fold_constant(*expr.args[0]);
      if (!value) return std::nullopt;
      if (expr.op == Op::Not) return Const{!value->as_bool()};
      if (value->value.index() == 3) return Const{-value->as_float()};
      if (value->value.index() == 6) return Const{Const::Decimal{-value->as_decimal()}};
      if (value->as_int() == INT64_MIN) return std::nullopt;
      return Const{-value->as_int()};
    }
    case ExprKind::Binary:
      return fold_binary(expr);
    case ExprKind::MakeMap: {  // no constant key is given twice
      Const::Parts entries;
      for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
        auto key = fold_constant(*expr.args[i]);
        auto value = fold_constant(*expr.args[i + 1]);
        if (!key || !value) return std::nullopt;
        entries.push_back(Const{Const::Parts{std::move(*key), std::move(*value)}});
      }
      return Const{std::move(entries)};
    }
    case ExprKind::MakeList:
    case ExprKind::MakeRecord: {
      Const::Parts parts;
      for (const typed::ExprPtr& arg : expr.args) {
        auto part = fold_constant(*arg);
        if (!part) return std::nullopt;
        parts.push_back(std::move(*part));
      }
      return Const{std::move(parts)};
    }
    default:
      return std::nullopt;
  }
}

std::optional<ConstValue> ExprChecker::check_constant(const ast::Expr& expr, TypeRef target) {
  // A param would make the shape of the program depend on a value that may change (rule 6.2).
  if (const auto* name = std::get_if<ast::NameRef>(&expr.node);
      name != nullptr && use_ == nullptr && names_->params.contains(name->name.text)) {
    diags_.report(Code::ParamInShape, expr.span).note("use a `const`");
    return std::nullopt;
  }
  Scope scope;
  typed::ExprPtr value = check(expr, scope, target);
  if (target != nullptr) value = coerce(std::move(value), target);
  if (value->type->kind == Kind::Error) return std::nullopt;
  auto folded = fold_constant(*value);
  if (!folded) {
    diags_.report(Code::NotConstant, expr.span);
    return std::nullopt;
  }
  return ConstValue{value->type, std::move(*folded)};
}

std::optional<Const> check_literal(const ast::Expr& expr, TypeRef target, diag::Engine& diags) {
  static const Names no_names;
  static const std::vector<typed::Param> no_params;
  typed::TypeTable types;
  int locals = 0;
  ExprChecker checker(no_names, no_params, types, diags, locals);
  auto value = checker.check_constant(expr, target);
  if (!value) return std::nullopt;
  return std::move(value->value);
}

}  // namespace mut::sema
