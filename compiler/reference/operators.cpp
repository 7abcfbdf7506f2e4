// Arithmetic, comparison, and the conversions that cannot fail.
#include <cmath>
#include <compare>

#include "compiler/reference/evaluate.h"

namespace mut::reference {

using typed::EventError;
using typed::Kind;
using typed::Op;
using typed::TypeRef;

namespace {

std::partial_ordering compare(const Value& a, const Value& b) {
  if (a.is_int() && b.is_float()) return compare_exact(a.as_int(), b.as_float());
  if (a.is_float() && b.is_int()) return 0 <=> compare_exact(b.as_int(), a.as_float());
  if (a.is_float()) return a.as_float() <=> b.as_float();
  return total_order(a, b) <=> 0;
}

Value whole_arithmetic(Op op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Op::Add:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Op::Subtract:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Op::Multiply:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    default:
      if (b == 0) fail(EventError::DivisionByZero);
      if (b == -1) {  // the one quotient that may not fit; the rest is always nothing
        if (op == Op::Divide) overflow = __builtin_sub_overflow(int64_t{0}, a, &out);
      } else {
        out = op == Op::Divide ? a / b : a % b;
      }
  }
  if (overflow) fail(EventError::Overflow);
  return out;
}

Value unsigned_arithmetic(Op op, uint64_t a, uint64_t b) {
  uint64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Op::Add:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Op::Subtract:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Op::Multiply:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    default:
      if (b == 0) fail(EventError::DivisionByZero);
      out = op == Op::Divide ? a / b : a % b;
  }
  if (overflow) fail(EventError::Overflow);
  return out;
}

Value float_arithmetic(Op op, double a, double b) {
  switch (op) {
    case Op::Add:
      return a + b;
    case Op::Subtract:
      return a - b;
    case Op::Multiply:
      return a * b;
    case Op::Divide:
      return a / b;
    default:
      return std::fmod(a, b);
  }
}

Value decimal_arithmetic(Op op, const Decimal& a, const Decimal& b, int scale) {
  switch (op) {
    case Op::Add:
      return fitting(add(a, b));
    case Op::Subtract:
      return fitting(add(a, negated(b)));
    case Op::Multiply:
      return fitting(multiply(a, b));
    default:
      if (b.digits.empty()) fail(EventError::DivisionByZero);
      return fitting(op == Op::Divide ? divide(a, b, scale) : remainder(a, b));
  }
}

// A duration times or by a float: nearest nanosecond, halves to even.
Value scale(int64_t duration, double factor, bool divide) {
  double scaled = divide ? static_cast<double>(duration) / factor : static_cast<double>(duration) * factor;
  if (!(scaled >= -0x1p63 && scaled < 0x1p63)) fail(EventError::Overflow);
  return static_cast<int64_t>(std::nearbyint(scaled));
}

}  // namespace

Value fitting(Decimal value) {
  if (too_long(value)) fail(EventError::Overflow);
  return value;
}

Value binary(Op op, const Value& a, TypeRef a_type, const Value& b, TypeRef b_type, TypeRef result) {
  switch (op) {
    case Op::Equal:
      return equal(a, b);
    case Op::NotEqual:
      return !equal(a, b);
    case Op::Less:
      return compare(a, b) < 0;
    case Op::LessEqual:
      return compare(a, b) <= 0;
    case Op::Greater:
      return compare(a, b) > 0;
    case Op::GreaterEqual:
      return compare(a, b) >= 0;
    default:
      break;
  }
  if (result->kind == Kind::String) return a.as_text() + b.as_text();
  if (a.is_decimal()) return decimal_arithmetic(op, a.as_decimal(), b.as_decimal(), result->scale);
  if (a.is_unsigned()) return unsigned_arithmetic(op, a.as_uint(), b.as_uint());
  if (a_type->kind == Kind::Duration && b_type->kind == Kind::Duration && op == Op::Divide)
    return static_cast<double>(a.as_int()) / static_cast<double>(b.as_int());
  if (a.is_float() && b.is_float()) return float_arithmetic(op, a.as_float(), b.as_float());
  if (b.is_float()) return scale(a.as_int(), b.as_float(), op == Op::Divide);
  if (a.is_float()) return scale(b.as_int(), a.as_float(), false);
  return whole_arithmetic(op, a.as_int(), b.as_int());
}

Value convert(const Value& value, TypeRef from, TypeRef to) {
  if (value.is_none()) return value;
  if (from->kind == Kind::Optional) from = from->element;
  if (to->kind == Kind::Optional) to = to->element;
  if (to->kind == Kind::Decimal) {
    Decimal exact = value.is_int() ? Decimal::of_int(value.as_int()) : value.as_decimal();
    return fitting(rounded(exact, to->scale, Nearest::Down));
  }
  if (to->kind == Kind::Float && value.is_int()) return static_cast<double>(value.as_int());
  if (to->kind == Kind::Secret)
    return convert(value, from->kind == Kind::Secret ? from->element : from, to->element);
  if (to->kind == Kind::Map) {
    Value::Parts entries;
    for (const Value& entry : value.entries()) entries.push_back(convert(entry, from->element, to->element));
    return Value::Entries{std::move(entries)};
  }
  if (to->kind == Kind::List) {
    Value::Parts parts;
    for (const Value& part : value.parts()) parts.push_back(convert(part, from->element, to->element));
    return parts;
  }
  if (to->kind == Kind::Record) {
    Value::Parts parts;
    for (const typed::Field& field : to->fields) {
      auto index = static_cast<size_t>(from->field_index(field.name));
      parts.push_back(convert(value.parts()[index], from->fields[index].type, field.type));
    }
    return parts;
  }
  return value;
}

}  // namespace mut::reference
