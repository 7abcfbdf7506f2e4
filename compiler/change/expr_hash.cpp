#include "compiler/change/expr_hash.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mut::change {

using typed::Builtin;
using typed::Const;
using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;

namespace {

// Kinds between which arithmetic differs; the width of an int does not.
std::string_view arithmetic_class(typed::TypeRef type) {
  if (type->kind == Kind::Optional) type = type->element;
  if (type->kind == Kind::U64) return "u64";
  if (typed::is_integer(type->kind)) return "int";
  if (typed::is_number(type->kind)) return "float";
  return type->text;
}

bool is_scalar_literal(const Const& value) { return value.value.index() >= 1 && value.value.index() <= 3; }

Const convert_literal(const Const& value, typed::TypeRef type) {
  if (value.value.index() == 2 && (type->kind == Kind::Float || type->kind == Kind::F32))
    return {static_cast<double>(value.as_int())};
  return value;
}

// The result of arithmetic between two literals; empty when it fails or is no arithmetic.
std::optional<Const> fold(Op op, const Const& a, const Const& b) {
  if (a.value.index() == 2 && b.value.index() == 2) {
    int64_t out = 0;
    switch (op) {
      case Op::Add:
        if (__builtin_add_overflow(a.as_int(), b.as_int(), &out)) return std::nullopt;
        return Const{out};
      case Op::Subtract:
        if (__builtin_sub_overflow(a.as_int(), b.as_int(), &out)) return std::nullopt;
        return Const{out};
      case Op::Multiply:
        if (__builtin_mul_overflow(a.as_int(), b.as_int(), &out)) return std::nullopt;
        return Const{out};
      default:
        return std::nullopt;
    }
  }
  if (a.value.index() == 3 && b.value.index() == 3) {
    switch (op) {
      case Op::Add:
        return Const{a.as_float() + b.as_float()};
      case Op::Subtract:
        return Const{a.as_float() - b.as_float()};
      case Op::Multiply:
        return Const{a.as_float() * b.as_float()};
      case Op::Divide:
        return Const{a.as_float() / b.as_float()};
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

bool commutes(const Expr& expr) {
  switch (expr.op) {
    case Op::Equal:
    case Op::NotEqual:
    case Op::And:
    case Op::Or:
      return true;
    case Op::Add:
    case Op::Multiply:
      return expr.type->kind != Kind::String && expr.type->kind != Kind::List;
    default:
      return false;
  }
}

Op opposite(Op op) {
  switch (op) {
    case Op::Equal:
      return Op::NotEqual;
    case Op::NotEqual:
      return Op::Equal;
    default:
      return op;
  }
}

}  // namespace

Hash constant_hash(const Const& value, typed::TypeRef type) {
  Hasher out("literal");
  switch (value.value.index()) {
    case 0:
      return out.add("none").done();
    case 1:
      return out.add("bool").add(uint64_t{value.as_bool()}).done();
    case 2:
      return out.add(arithmetic_class(type)).add(static_cast<uint64_t>(value.as_int())).done();
    case 3:
      return out.add("float").add(std::bit_cast<uint64_t>(value.as_float())).done();
    case 4:
      return out.add("text").add(value.as_text()).done();
    case 6: {
      auto units = static_cast<unsigned __int128>(value.as_decimal());
      out.add(arithmetic_class(type)).add(static_cast<uint64_t>(units));
      return out.add(static_cast<uint64_t>(units >> 64)).done();
    }
    default: {
      typed::TypeRef inner = typed::without_none(type);
      if (inner->kind == Kind::Secret) inner = inner->element;
      for (size_t i = 0; i < value.parts().size(); ++i) {
        // An entry of a map is a record of its key and value.
        bool alike = inner->kind == Kind::List || inner->kind == Kind::Map;
        out.add(constant_hash(value.parts()[i], alike ? inner->element : inner->fields[i].type));
      }
      return out.add(uint64_t{value.parts().size()}).done();
    }
  }
}

Value ExprHasher::value(const Expr& expr, Scope& scope) const {
  bool exact = detail_ == Detail::Exact;
  auto literal = [&](Const value) { return Value{constant_hash(value, expr.type), std::move(value)}; };
  switch (expr.kind) {
    case ExprKind::Literal:
      if (is_scalar_literal(expr.value)) return literal(expr.value);
      return {constant_hash(expr.value, expr.type), std::nullopt};
    case ExprKind::Field:
      return (*scope.fields)[static_cast<size_t>(expr.index)];
    case ExprKind::Param: {
      const typed::Param& param = program_.params[static_cast<size_t>(expr.index)];
      Hasher out("param");
      out.add(param.name);
      if (detail_ == Detail::ParamValues) out.add(constant_hash(param.value, param.type));
      if (exact) out.add(param.type->text);
      return {out.done(), std::nullopt};
    }
    case ExprKind::Local: {
      auto known = scope.locals.find(expr.index);
      return known != scope.locals.end() ? known->second : Value{Hasher("local").done(), std::nullopt};
    }
    case ExprKind::Let: {
      scope.locals[expr.index] = value(*expr.args[0], scope);
      return value(*expr.args[1], scope);
    }
    case ExprKind::Convert: {
      Value inner = value(*expr.args[0], scope);
      if (inner.literal && expr.type->kind != Kind::Optional) {
        Const converted = convert_literal(*inner.literal, expr.type);
        return literal(std::move(converted));
      }
      if (!exact) return inner;
      return {Hasher("convert").add(inner.hash).add(expr.type->text).done(), std::nullopt};
    }
    case ExprKind::Unwrap: {
      Value inner = value(*expr.args[0], scope);
      if (!exact) return inner;
      return {Hasher("unwrap").add(inner.hash).done(), std::nullopt};
    }
    case ExprKind::Unary: {
      Value inner = value(*expr.args[0], scope);
      if (inner.literal && expr.op == Op::Negate) {
        if (inner.literal->value.index() == 3) return literal({-inner.literal->as_float()});
        if (inner.literal->value.index() == 2 && inner.literal->as_int() != INT64_MIN)
          return literal({-inner.literal->as_int()});
      }
      Hasher out("unary");
      out.add(static_cast<uint64_t>(expr.op)).add(inner.hash);
      if (expr.op == Op::Negate) out.add(arithmetic_class(expr.type));
      return {out.done(), std::nullopt};
    }
    case ExprKind::Binary: {
      Value left = value(*expr.args[0], scope);
      Value right = value(*expr.args[1], scope);
      if (left.literal && right.literal) {
        if (auto folded = fold(expr.op, *left.literal, *right.literal)) return literal(std::move(*folded));
      }
      return {binary(expr, left.hash, right.hash), std::nullopt};
    }
    case ExprKind::History:
      return {scope.histories[static_cast<size_t>(expr.index)], std::nullopt};
    case ExprKind::Key:
      return {scope.keys[static_cast<size_t>(expr.index)], std::nullopt};
    case ExprKind::Aggregate:
      return {scope.aggregates[static_cast<size_t>(expr.index)], std::nullopt};
    case ExprKind::WindowStart:
      return {Hasher("window start").add(scope.window).done(), std::nullopt};
    case ExprKind::WindowEnd:
      return {Hasher("window end").add(scope.window).done(), std::nullopt};
    case ExprKind::MapList:
    case ExprKind::FilterList:
    case ExprKind::AnyOf:
    case ExprKind::AllOf:
    case ExprKind::Reduce: {
      // Elements by their list, so that the names of parameters do not enter.
      Hash list = hash(*expr.args[0], scope);
      scope.locals[expr.index] = {Hasher("element").add(list).done(), std::nullopt};
      if (expr.kind == ExprKind::Reduce)
        scope.locals[expr.index + 1] = {Hasher("so far").add(list).done(), std::nullopt};
      return {plain(expr, scope), std::nullopt};
    }
    case ExprKind::ZipLists: {
      for (size_t i = 0; i + 1 < expr.args.size(); ++i) {
        Hash list = hash(*expr.args[i], scope);
        scope.locals[expr.index + static_cast<int>(i)] = {Hasher("element").add(list).done(), std::nullopt};
      }
      return {plain(expr, scope), std::nullopt};
    }
    case ExprKind::IsSome: {
      Value tested = value(*expr.args[0], scope);
      if (expr.index >= 0) scope.locals[expr.index] = tested;
      return {Hasher("is some").add(tested.hash).done(), std::nullopt};
    }
    case ExprKind::Member:
    case ExprKind::OptionalMember: {
      Value object = value(*expr.args[0], scope);
      if (!object.members) return {plain(expr, scope), std::nullopt};
      const Value& member = (*object.members)[static_cast<size_t>(expr.index)];
      if (!exact) return member;
      return {Hasher("member").add(member.hash).add(expr.type->text).done(), std::nullopt};
    }
    default:
      return {plain(expr, scope), std::nullopt};
  }
}

Hash ExprHasher::binary(const Expr& expr, const Hash& left, const Hash& right) const {
  Op op = expr.op;
  Hash a = left;
  Hash b = right;
  if (op == Op::Greater || op == Op::GreaterEqual) {
    op = op == Op::Greater ? Op::Less : Op::LessEqual;
    std::swap(a, b);
  }
  if (commutes(expr) && b < a) std::swap(a, b);
  Hasher out("binary");
  out.add(static_cast<uint64_t>(op)).add(a).add(b);
  if (op >= Op::Add) out.add(arithmetic_class(expr.type));
  if (detail_ == Detail::Exact) out.add(expr.type->text);
  return out.done();
}

// Kinds whose meaning is their kind, their details and their operands in order.
Hash ExprHasher::plain(const Expr& expr, Scope& scope) const {
  std::vector<Hash> args;
  for (const typed::ExprPtr& arg : expr.args) args.push_back(hash(*arg, scope));
  Hasher out("expr");
  out.add(static_cast<uint64_t>(expr.kind));
  switch (expr.kind) {
    case ExprKind::Call:
      out.add(static_cast<uint64_t>(expr.builtin)).add(expr.spec);
      if (!expr.args.empty()) out.add(arithmetic_class(expr.args[0]->type));
      if (expr.type->kind == Kind::Decimal) out.add(expr.type->text);  // to how many digits it rounds
      if (expr.builtin == Builtin::Min || expr.builtin == Builtin::Max) std::sort(args.begin(), args.end());
      break;
    case ExprKind::Member:
    case ExprKind::OptionalMember: {
      typed::TypeRef record = expr.args[0]->type;
      if (record->kind == Kind::Optional) record = record->element;
      out.add(record->fields[static_cast<size_t>(expr.index)].name);
      break;
    }
    case ExprKind::Cast:
    case ExprKind::CastOptional:
      out.add(expr.type->text);
      break;
    case ExprKind::Format:
      out.add(expr.spec).add(arithmetic_class(expr.args[0]->type));
      break;
    case ExprKind::MakeRecord:
      for (const typed::Field& field : expr.type->fields) out.add(field.name);
      break;
    default:
      break;
  }
  if (detail_ == Detail::Exact) out.add(expr.type->text);
  return out.add(args).done();
}

void ExprHasher::conjuncts(const Expr& condition, Scope& scope, bool negated, std::vector<Hash>& out) const {
  if (condition.kind == ExprKind::Unary && condition.op == Op::Not) {
    conjuncts(*condition.args[0], scope, !negated, out);
    return;
  }
  if (condition.kind == ExprKind::Binary && condition.op == (negated ? Op::Or : Op::And)) {
    conjuncts(*condition.args[0], scope, negated, out);
    conjuncts(*condition.args[1], scope, negated, out);
    return;
  }
  if (negated && condition.kind == ExprKind::Binary && opposite(condition.op) != condition.op) {
    Expr flipped;
    flipped.kind = ExprKind::Binary;
    flipped.op = opposite(condition.op);
    flipped.type = condition.type;
    Hash left = hash(*condition.args[0], scope);
    Hash right = hash(*condition.args[1], scope);
    out.push_back(binary(flipped, left, right));
    return;
  }
  Hash plain_hash = hash(condition, scope);
  out.push_back(negated ? Hasher("not").add(plain_hash).done() : plain_hash);
}

Hash ExprHasher::call(const typed::AggregateCall& call, Scope& scope) const {
  Hasher out("aggregate");
  out.add(typed::aggregate_name(call.fn));
  out.add(call.argument ? hash(*call.argument, scope) : Hash{});
  out.add(call.order ? hash(*call.order, scope) : Hash{});
  for (const typed::ExprPtr& argument : call.arguments) out.add(hash(*argument, scope));
  out.add(std::bit_cast<uint64_t>(call.share)).add(static_cast<uint64_t>(call.most)).add(call.separator);
  if (call.own != nullptr) out.add(typed::text_of_state(*call.own)).add(typed::text_of_result(*call.own));
  if (detail_ == Detail::Exact) out.add(call.result->text);
  return out.done();
}

Hash ExprHasher::history(const typed::History& history, Scope& scope) const {
  Hasher out("history");
  out.add(call(history.call, scope));
  std::vector<Hash> filter;
  if (history.call.filter) conjuncts(*history.call.filter, scope, false, filter);
  std::sort(filter.begin(), filter.end());
  out.add(filter);
  for (const typed::ExprPtr& key : history.keys) out.add(hash(*key, scope));
  out.add(static_cast<uint64_t>(history.over)).add(static_cast<uint64_t>(history.amount));
  out.add(uint64_t{history.excluding_current});
  if (detail_ == Detail::Exact) out.add(static_cast<uint64_t>(history.ttl.value_or(-1)));
  return out.done();
}

}  // namespace mut::change
