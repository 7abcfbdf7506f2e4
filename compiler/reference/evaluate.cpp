#include "compiler/reference/evaluate.h"

namespace mut::reference {

using typed::EventError;
using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;

void fail(EventError error) { throw EventFailure{error}; }

namespace {

Value evaluate_binary(const Expr& expr, Scope& scope) {
  Value left = evaluate(*expr.args[0], scope);
  if (expr.op == Op::And && !left.as_bool()) return false;
  if (expr.op == Op::Or && left.as_bool()) return true;
  Value right = evaluate(*expr.args[1], scope);
  if (expr.op == Op::And || expr.op == Op::Or) return right;
  return binary(expr.op, left, expr.args[0]->type, right, expr.args[1]->type, expr.type);
}

Value evaluate_unary(const Expr& expr, Scope& scope) {
  Value value = evaluate(*expr.args[0], scope);
  if (expr.op == Op::Not) return !value.as_bool();
  if (value.is_float()) return -value.as_float();
  if (value.is_decimal()) return negated(value.as_decimal());
  int64_t negated = 0;
  if (__builtin_sub_overflow(int64_t{0}, value.as_int(), &negated)) fail(EventError::Overflow);
  return negated;
}

Value evaluate_cast(const Expr& expr, Scope& scope) {
  Value value = evaluate(*expr.args[0], scope);
  typed::TypeRef from = expr.args[0]->type;
  if (from->kind == Kind::Optional) from = from->element;
  if (expr.kind == ExprKind::Cast) {
    if (value.is_none()) fail(EventError::Cast);
    return cast(value, from, expr.type);
  }
  if (value.is_none()) return {};
  try {
    return cast(value, from, expr.type->element);
  } catch (const EventFailure&) {
    return {};
  }
}

bool is_draw(const Expr& expr) { return expr.kind == ExprKind::Call && expr.builtin >= typed::Builtin::Pick; }

void number_draws_in(const Expr& expr, std::map<const Expr*, uint64_t>& places) {
  if (is_draw(expr)) {
    uint64_t next = places.size();
    places.emplace(&expr, next);
  }
  for (const typed::ExprPtr& arg : expr.args) number_draws_in(*arg, places);
}

}  // namespace

std::map<const Expr*, uint64_t> number_draws(const std::vector<typed::Output>& outputs) {
  std::map<const Expr*, uint64_t> places;
  for (const typed::Output& output : outputs) number_draws_in(*output.value, places);
  return places;
}

Value evaluate(const Expr& expr, Scope& scope) {
  auto arg = [&](size_t index) { return evaluate(*expr.args[index], scope); };
  switch (expr.kind) {
    case ExprKind::Literal:
      return from_const(expr.value, expr.type);
    case ExprKind::Field:
      return (*scope.fields)[static_cast<size_t>(expr.index)];
    case ExprKind::Param:
      return (*scope.params)[static_cast<size_t>(expr.index)];
    case ExprKind::Local:
      return scope.locals.at(expr.index);
    case ExprKind::Convert:
      return convert(arg(0), expr.args[0]->type, expr.type);
    case ExprKind::Cast:
    case ExprKind::CastOptional:
      return evaluate_cast(expr, scope);
    case ExprKind::Unary:
      return evaluate_unary(expr, scope);
    case ExprKind::Binary:
      return evaluate_binary(expr, scope);
    case ExprKind::Member:
      return arg(0).parts()[static_cast<size_t>(expr.index)];
    case ExprKind::OptionalMember: {
      Value record = arg(0);
      return record.is_none() ? Value() : record.parts()[static_cast<size_t>(expr.index)];
    }
    case ExprKind::Element: {
      Value list = arg(0);
      if (list.is_map()) {
        const Value* found = find_in_map(list, arg(1));
        if (found == nullptr) fail(EventError::Index);
        return *found;
      }
      int64_t index = arg(1).as_int();
      if (index < 0 || static_cast<uint64_t>(index) >= list.parts().size()) fail(EventError::Index);
      return list.parts()[static_cast<size_t>(index)];
    }
    case ExprKind::Call: {
      if (expr.builtin == typed::Builtin::EventTime) return scope.time;
      if (expr.builtin == typed::Builtin::ArrivalTime) return scope.arrival;
      if (expr.builtin == typed::Builtin::Position) return static_cast<int64_t>(scope.position);
      std::vector<Value> args;
      for (const typed::ExprPtr& each : expr.args) args.push_back(evaluate(*each, scope));
      return is_draw(expr) ? draw(expr, args, *scope.draws) : call_builtin(expr, args, scope);
    }
    case ExprKind::If:
      return arg(0).as_bool() ? arg(1) : arg(2);
    case ExprKind::Let:
      scope.locals[expr.index] = arg(0);
      return arg(1);
    case ExprKind::Try:
      try {
        return arg(0);
      } catch (const EventFailure&) {
        return arg(1);
      }
    case ExprKind::Coalesce: {
      Value value = arg(0);
      return value.is_none() ? arg(1) : value;
    }
    case ExprKind::IsNone:
      return arg(0).is_none();
    case ExprKind::IsSome: {
      Value value = arg(0);
      scope.locals[expr.index] = value;
      return !value.is_none();
    }
    case ExprKind::Unwrap:
      return arg(0);
    case ExprKind::MapList: {
      Value::Parts out;
      Value list = arg(0);
      for (const Value& element : list.parts()) {
        scope.locals[expr.index] = element;
        out.push_back(arg(1));
      }
      return out;
    }
    case ExprKind::FilterList: {
      Value::Parts out;
      Value list = arg(0);
      for (const Value& element : list.parts()) {
        scope.locals[expr.index] = element;
        if (arg(1).as_bool()) out.push_back(element);
      }
      return out;
    }
    case ExprKind::AnyOf:
    case ExprKind::AllOf: {
      Value list = arg(0);
      bool wanted = expr.kind == ExprKind::AnyOf;
      for (const Value& element : list.parts()) {
        scope.locals[expr.index] = element;
        if (arg(1).as_bool() == wanted) return wanted;
      }
      return !wanted;
    }
    case ExprKind::Reduce: {
      Value list = arg(0);
      Value before = arg(1);
      for (const Value& element : list.parts()) {
        scope.locals[expr.index] = element;
        scope.locals[expr.index + 1] = before;
        before = arg(2);
      }
      return before;
    }
    case ExprKind::MakeMap: {
      Value::Parts entries;
      for (size_t i = 0; i + 1 < expr.args.size(); i += 2)
        entries.emplace_back(Value::Parts{arg(i), arg(i + 1)});
      return map_of(entries);
    }
    case ExprKind::ZipLists: {
      std::vector<Value> lists;
      for (size_t i = 0; i + 1 < expr.args.size(); ++i) lists.push_back(arg(i));
      Value::Parts out;
      for (size_t place = 0; place < lists[0].parts().size(); ++place) {
        for (size_t i = 0; i < lists.size(); ++i)
          scope.locals[expr.index + static_cast<int>(i)] = lists[i].parts()[place];
        out.push_back(arg(lists.size()));
      }
      return out;
    }
    case ExprKind::MakeRecord:
    case ExprKind::MakeList: {
      Value::Parts parts;
      for (const typed::ExprPtr& each : expr.args) parts.push_back(evaluate(*each, scope));
      return parts;
    }
    case ExprKind::Text: {
      std::string out;
      for (const typed::ExprPtr& each : expr.args) out += evaluate(*each, scope).as_text();
      return out;
    }
    case ExprKind::Format:
      return format(arg(0), expr.args[0]->type, expr.spec);
    case ExprKind::History:
      return scope.history(static_cast<size_t>(expr.index));
    case ExprKind::Key:
      return (*scope.keys)[static_cast<size_t>(expr.index)];
    case ExprKind::Aggregate:
      return scope.aggregate(static_cast<size_t>(expr.index));
    case ExprKind::WindowStart:
      return scope.window_start;
    case ExprKind::WindowEnd:
      return scope.window_end;
  }
  return {};
}

}  // namespace mut::reference
