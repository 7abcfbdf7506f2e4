// Calls of built-in functions.

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

ExprPtr CallChecker::uniform(Builtin builtin, Kind kind, size_t count, Kind result) {
  if (!count_is(count, count)) return error();
  std::vector<ExprPtr> values;
  for (size_t i = 0; i < args.size(); ++i) {
    ExprPtr value = checker.check(*args[i], scope, type(kind));
    if (!argument_is(value, i, checker.converts(value->type, type(kind)), quoted(type(kind)))) return error();
    values.push_back(checker.coerce(std::move(value), type(kind)));
  }
  return call(builtin, type(result), std::move(values));
}

ExprPtr CallChecker::time_part(Builtin builtin) {
  if (!count_is(1, 2)) return error();
  ExprPtr time = checker.check(*args[0], scope, type(Kind::Time));
  if (!argument_is(time, 0, checker.converts(time->type, type(Kind::Time)), quoted(type(Kind::Time))))
    return error();
  time = checker.coerce(std::move(time), type(Kind::Time));
  if (args.size() == 2) time = checker.in_zone(Builtin::ToLocal, std::move(time), *args[1]);
  if (time->type->kind == Kind::Error) return error();
  std::vector<ExprPtr> values;
  values.push_back(std::move(time));
  return call(builtin, type(Kind::Int), std::move(values));
}

ExprPtr CallChecker::numeric(Builtin builtin, size_t least, size_t most, bool ordered) {
  if (!count_is(least, most)) return error();
  std::vector<ExprPtr> values;
  TypeRef joined = hint != nullptr && hint->kind == Kind::Float ? hint : nullptr;
  TypeRef literal_hint = nullptr;
  std::vector<ExprPtr> checked;
  for (const ast::Expr* arg : args) {
    checked.push_back(
        checker.promote(checker.check(*arg, scope, checker.hint_beside(*arg, literal_hint, literal_hint))));
    TypeRef next = checked.back()->type;
    literal_hint = literal_hint == nullptr ? next : checker.unify(literal_hint, next);
  }
  checker.recheck_numbers(args, scope, checked);
  bool decimals = std::any_of(checked.begin(), checked.end(),
                              [](const ExprPtr& value) { return is_decimal(value->type); });
  if (decimals) joined = nullptr;
  for (size_t i = 0; i < args.size(); ++i) {
    ExprPtr value = std::move(checked[i]);
    Kind kind = value->type->kind;
    bool fine = kind == Kind::Int || kind == Kind::Float || kind == Kind::U64 || kind == Kind::Duration ||
                kind == Kind::Decimal || (ordered && typed::is_ordered(value->type) && kind != Kind::Error);
    if (!argument_is(value, i, fine, ordered ? "an ordered value" : "a number")) return error();
    TypeRef next = joined == nullptr ? value->type : checker.unify(joined, value->type);
    if (next == nullptr) {
      diags().report(Code::BranchTypes, value->span, quoted(joined), quoted(value->type));
      return error();
    }
    joined = next;
    values.push_back(std::move(value));
  }
  for (ExprPtr& value : values) value = checker.coerce(std::move(value), joined);
  return call(builtin, joined, std::move(values));
}

ExprPtr CallChecker::check_builtin() {
  std::vector<Builtin> matching;
  for (const BuiltinName& entry : builtin_names) {
    if (entry.name == node.function.text) matching.push_back(entry.builtin);
  }
  // `sum first last min max contains len` also name list functions.
  bool draws = matching[0] >= Builtin::Pick;
  if (draws && scope.place != Place::Generate) {
    diags()
        .report(Code::UnknownFunction, node.function.span, node.function.text)
        .note("seeded draws stand only in `generate(…) { … }`");
    return error();
  }
  switch (matching[0]) {
    case Builtin::Abs:
    case Builtin::Sign:
      return numeric(matching[0], 1, 1, false);
    case Builtin::Min:
    case Builtin::Max:
      if (args.size() == 1) return list_function(matching[1]);
      return numeric(matching[0], 2, 64, true);
    case Builtin::Clamp:
      return numeric(Builtin::Clamp, 3, 3, true);
    case Builtin::Round:
      return args.size() == 2 ? round_digits() : round_whole(Builtin::Round);
    case Builtin::Trunc:
    case Builtin::Floor:
    case Builtin::Ceil:
      return round_whole(matching[0]);
    case Builtin::Sqrt:
    case Builtin::Exp:
    case Builtin::Log:
    case Builtin::Log2:
    case Builtin::Log10:
    case Builtin::Sin:
    case Builtin::Cos:
    case Builtin::Tan:
    case Builtin::Erf:
    case Builtin::Erfc:
    case Builtin::Logistic:
      return uniform(matching[0], Kind::Float, 1, Kind::Float);
    case Builtin::Pow:
    case Builtin::Atan2:
      return uniform(matching[0], Kind::Float, 2, Kind::Float);
    case Builtin::IsNan:
      return uniform(Builtin::IsNan, Kind::Float, 1, Kind::Bool);
    case Builtin::Mod:
    case Builtin::BitAnd:
    case Builtin::BitOr:
    case Builtin::BitXor:
    case Builtin::ShiftLeft:
    case Builtin::ShiftRight:
      return uniform(matching[0], Kind::Int, 2, Kind::Int);
    case Builtin::BitNot:
      return uniform(Builtin::BitNot, Kind::Int, 1, Kind::Int);
    case Builtin::Hash:
      return hash();
    case Builtin::Lower:
    case Builtin::Upper:
    case Builtin::Trim:
      return uniform(matching[0], Kind::String, 1, Kind::String);
    case Builtin::ToJson: {
      if (!count_is(1, 1)) return error();
      std::vector<ExprPtr> values;
      values.push_back(checker.check(*args[0], scope));
      if (values[0]->type->kind == Kind::Error) return error();
      if (typed::has_secret(values[0]->type)) return checker.secret_use(*values[0], "no JSON shows");
      if (values[0]->type->kind == Kind::None) {
        diags().report(Code::CannotInferType, args[0]->span);
        return error();
      }
      return call(Builtin::ToJson, type(Kind::Json), std::move(values));
    }
    case Builtin::Matches:
    case Builtin::Capture:
      return count_is(2, 2) ? checker.check_regex_call(matching[0], args, expr, scope) : error();
    case Builtin::Replace:
      if (args.size() == 3 && checker.regex_of(*args[1]) != nullptr)
        return checker.check_regex_call(Builtin::ReplaceRegex, args, expr, scope);
      return uniform(Builtin::Replace, Kind::String, 3, Kind::String);
    case Builtin::StartsWith:
    case Builtin::EndsWith:
      return uniform(matching[0], Kind::String, 2, Kind::Bool);
    case Builtin::Slice:
      return slice();
    case Builtin::Split: {
      ExprPtr out = uniform(Builtin::Split, Kind::String, 2, Kind::String);
      if (out->kind == ExprKind::Call) out->type = checker.types_.list(type(Kind::String));
      return out;
    }
    case Builtin::Join:
    case Builtin::Len:
    case Builtin::Get:
    case Builtin::ListSum:
    case Builtin::ListFirst:
    case Builtin::ListLast:
    case Builtin::Append:
    case Builtin::Concat:
    case Builtin::Contains:
    case Builtin::ListSort:
    case Builtin::Reverse:
      return list_function(matching[0]);
    case Builtin::MapKeys:
    case Builtin::MapValues:
      return map_function(matching[0]);
    case Builtin::MapPut:
    case Builtin::MapRemove:
      return changed_map(matching[0]);
    case Builtin::Reveal:
      return reveal();
    case Builtin::ArrivalTime:
      return count_is(0, 0) ? call(Builtin::ArrivalTime, type(Kind::Time), {}) : error();
    case Builtin::EventTime:
      return count_is(0, 0) ? call(Builtin::EventTime, type(Kind::Time), {}) : error();
    case Builtin::Year:
    case Builtin::Month:
    case Builtin::Day:
    case Builtin::Hour:
    case Builtin::Minute:
    case Builtin::Second:
    case Builtin::Weekday:
      return time_part(matching[0]);
    case Builtin::Pick:
      return pick();
    case Builtin::Uniform:
    case Builtin::Normal:
    case Builtin::Lognormal:
      return uniform(matching[0], Kind::Float, 2, Kind::Float);
    case Builtin::Chance:
      return uniform(Builtin::Chance, Kind::Float, 1, Kind::Bool);
    default:
      return error();
  }
}

ExprPtr CallChecker::round_whole(Builtin builtin) {
  if (!count_is(1, 1)) return error();
  ExprPtr value = checker.check(*args[0], scope, is_decimal(hint) ? nullptr : type(Kind::Float));
  if (value->type->kind == Kind::Decimal)
    return checker.round_decimal(builtin, std::move(value), nullptr, expr.span);
  if (!argument_is(value, 0, checker.converts(value->type, type(Kind::Float)), "`float`")) return error();
  std::vector<ExprPtr> values;
  values.push_back(checker.coerce(std::move(value), type(Kind::Float)));
  return call(builtin, type(Kind::Float), std::move(values));
}

ExprPtr CallChecker::round_digits() {
  ExprPtr value = checker.check(*args[0], scope, is_decimal(hint) ? hint : type(Kind::Float));
  if (value->type->kind == Kind::Decimal || (is_decimal(hint) && checker.promote_kind(value) == Kind::Int))
    return checker.round_decimal(Builtin::Round, checker.as_decimal(checker.promote(std::move(value))),
                                 args[1], expr.span);
  if (!argument_is(value, 0, checker.converts(value->type, type(Kind::Float)), "`float`")) return error();
  ExprPtr digits = checker.check_as(*args[1], scope, type(Kind::Int));
  std::vector<ExprPtr> values;
  values.push_back(checker.coerce(std::move(value), type(Kind::Float)));
  values.push_back(std::move(digits));
  return call(Builtin::Round, type(Kind::Float), std::move(values));
}

ExprPtr CallChecker::hash() {
  if (!count_is(1, 1)) return error();
  ExprPtr value = checker.promote(checker.check(*args[0], scope));
  Kind kind = value->type->kind;
  bool fine = kind == Kind::Int || kind == Kind::U64 || kind == Kind::Float || kind == Kind::String ||
              kind == Kind::Time || kind == Kind::Duration || kind == Kind::Bool || kind == Kind::Bytes ||
              kind == Kind::Decimal;
  if (!argument_is(value, 0, fine, "a number, text, bytes, bool or time")) return error();
  std::vector<ExprPtr> values;
  values.push_back(std::move(value));
  return call(Builtin::Hash, type(Kind::Int), std::move(values));
}

ExprPtr CallChecker::slice() {
  if (!count_is(3, 3)) return error();
  std::vector<ExprPtr> values;
  values.push_back(checker.check_as(*args[0], scope, type(Kind::String)));
  values.push_back(checker.check_as(*args[1], scope, type(Kind::Int)));
  values.push_back(checker.check_as(*args[2], scope, type(Kind::Int)));
  return call(Builtin::Slice, type(Kind::String), std::move(values));
}

ExprPtr CallChecker::list_function(Builtin builtin) {
  size_t count = builtin == Builtin::Get || builtin == Builtin::Append || builtin == Builtin::Concat ||
                         builtin == Builtin::Contains || builtin == Builtin::Join
                     ? 2
                     : 1;
  if (!count_is(count, count)) return error();
  ExprPtr list = checker.check(*args[0], scope);
  TypeRef list_type = list->type;
  if (builtin == Builtin::Contains && list_type->kind == Kind::String)
    return uniform(Builtin::Contains, Kind::String, 2, Kind::Bool);
  if (builtin == Builtin::Len && (list_type->kind == Kind::String || list_type->kind == Kind::Bytes)) {
    std::vector<ExprPtr> values;
    values.push_back(std::move(list));
    return call(Builtin::Len, type(Kind::Int), std::move(values));
  }
  bool of_maps = builtin == Builtin::Len || builtin == Builtin::Get || builtin == Builtin::Contains;
  if (of_maps && list_type->kind == Kind::Map) return map_function(builtin, std::move(list));
  if (!argument_is(list, 0, list_type->kind == Kind::List, of_maps ? "a list or map" : "a list"))
    return error();
  TypeRef element = list_type->element;
  std::vector<ExprPtr> values;
  values.push_back(std::move(list));
  switch (builtin) {
    case Builtin::Len:
      return call(builtin, type(Kind::Int), std::move(values));
    case Builtin::Get:
      values.push_back(checker.check_as(*args[1], scope, type(Kind::Int)));
      return call(builtin, checker.types_.optional(element), std::move(values));
    case Builtin::Append:
      values.push_back(checker.check_as(*args[1], scope, element));
      return call(builtin, list_type, std::move(values));
    case Builtin::Concat:
      if (takes_hint(*args[0]) && !takes_hint(*args[1])) {  // the written one takes the type of the other
        ExprPtr other = checker.check(*args[1], scope);
        if (!argument_is(other, 1, other->type->kind == Kind::List, "a list")) return error();
        values[0] = checker.check_as(*args[0], scope, other->type);
        TypeRef joined = other->type;
        values.push_back(std::move(other));
        return call(builtin, joined, std::move(values));
      }
      values.push_back(checker.check_as(*args[1], scope, list_type));
      return call(builtin, list_type, std::move(values));
    case Builtin::Contains:
      if (!typed::has_equality(element)) {
        diags().report(Code::NoEquality, expr.span, quoted(element));
        return error();
      }
      values.push_back(checker.check_as(*args[1], scope, element));
      return call(builtin, type(Kind::Bool), std::move(values));
    case Builtin::Join:
      if (!argument_is(values[0], 0, element->kind == Kind::String, "`[string]`")) return error();
      values.push_back(checker.check_as(*args[1], scope, type(Kind::String)));
      return call(builtin, type(Kind::String), std::move(values));
    case Builtin::ListSum:
      if (!argument_is(values[0], 0,
                       element->kind == Kind::Int || element->kind == Kind::Float ||
                           element->kind == Kind::Duration || element->kind == Kind::Decimal,
                       "a list of numbers")) {
        return error();
      }
      return call(builtin, element, std::move(values));
    case Builtin::ListSort:
      if (!argument_is(values[0], 0, typed::is_ordered(element), "a list of ordered values")) return error();
      return call(builtin, list_type, std::move(values));
    case Builtin::Reverse:
      return call(builtin, list_type, std::move(values));
    case Builtin::ListMin:
    case Builtin::ListMax:
      if (!argument_is(values[0], 0, typed::is_ordered(element), "a list of ordered values")) return error();
      return call(builtin, checker.types_.optional(element), std::move(values));
    default:
      return call(builtin, checker.types_.optional(element), std::move(values));
  }
}

ExprPtr CallChecker::pick() {
  if (!count_is(1, 1)) return error();
  std::vector<ExprPtr> values;
  if (const auto* range = std::get_if<ast::RangeExpr>(&args[0]->node)) {
    values.push_back(checker.check_as(*range->low, scope, type(Kind::Int)));
    values.push_back(checker.check_as(*range->high, scope, type(Kind::Int)));
    return call(Builtin::Pick, type(Kind::Int), std::move(values));
  }
  ExprPtr list = checker.check(*args[0], scope);
  if (!argument_is(list, 0,
                   list->type->kind == Kind::List && list->kind == ExprKind::MakeList && !list->args.empty(),
                   "a range or a list that is not empty")) {
    return error();
  }
  TypeRef element = list->type->element;
  values.push_back(std::move(list));
  return call(Builtin::Pick, element, std::move(values));
}

}  // namespace mut::sema
