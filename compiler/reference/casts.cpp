// `as`, and values as text: rules 3.7, 3.21, 6.14 and the formats of interpolation.
#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "compiler/reference/decode.h"
#include "compiler/reference/evaluate.h"
#include "compiler/reference/text_functions.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"

namespace mut::reference {

using typed::EventError;
using typed::Kind;
using typed::TypeRef;

namespace {

// Bounds of an integer type; wide enough for u64 and int together.
std::pair<__int128, __int128> bounds(Kind kind) {
  switch (kind) {
    case Kind::I8:
      return {INT8_MIN, INT8_MAX};
    case Kind::I16:
      return {INT16_MIN, INT16_MAX};
    case Kind::I32:
      return {INT32_MIN, INT32_MAX};
    case Kind::U8:
      return {0, UINT8_MAX};
    case Kind::U16:
      return {0, UINT16_MAX};
    case Kind::U32:
      return {0, UINT32_MAX};
    case Kind::U64:
      return {0, UINT64_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

Value whole(__int128 number, Kind to) {
  auto [low, high] = bounds(to);
  if (number < low || number > high) fail(EventError::Cast);
  if (to == Kind::U64) return static_cast<uint64_t>(number);
  return static_cast<int64_t>(number);
}

Value number_to_number(const Value& value, Kind to) {
  if (to == Kind::Float) {
    if (value.is_float()) return value;
    if (!value.is_unsigned() && static_cast<__int128>(static_cast<double>(value.as_int())) != value.as_int())
      fail(EventError::Cast);
    return value.is_unsigned() ? static_cast<double>(value.as_uint()) : static_cast<double>(value.as_int());
  }
  if (to == Kind::F32) {
    long double exact = value.is_float()      ? static_cast<long double>(value.as_float())
                        : value.is_unsigned() ? static_cast<long double>(value.as_uint())
                                              : static_cast<long double>(value.as_int());
    auto narrow = static_cast<float>(exact);
    if (!std::isnan(exact) && static_cast<long double>(narrow) != exact) fail(EventError::Cast);
    return static_cast<double>(narrow);
  }
  if (!value.is_float())
    return whole(value.is_unsigned() ? __int128{value.as_uint()} : __int128{value.as_int()}, to);
  double number = value.as_float();
  if (!(std::fabs(number) < 0x1p65) || number != std::trunc(number)) fail(EventError::Cast);
  return whole(static_cast<__int128>(number), to);
}

// There and back without loss; a float is what it is printed as.
Value decimal_to(const Decimal& value, TypeRef to) {
  if (to->kind == Kind::Decimal) {
    Decimal out = rounded(value, to->scale, Nearest::Down);
    if (compare(out, value) != 0 || too_long(out)) fail(EventError::Cast);
    return out;
  }
  if (to->kind == Kind::Float || to->kind == Kind::F32) {
    double real = to_float(value);
    if (to->kind == Kind::F32) real = static_cast<float>(real);
    auto back = from_float(real, value.scale);
    if (!back || compare(*back, value) != 0) fail(EventError::Cast);
    return real;
  }
  Decimal out = rounded(value, 0, Nearest::Down);
  if (compare(out, value) != 0) fail(EventError::Cast);
  return whole(units_of(out), to->kind);
}

Value to_decimal(const Value& value, TypeRef to) {
  if (value.is_float()) {
    auto out = from_float(value.as_float(), to->scale);
    if (!out) fail(EventError::Cast);
    return *out;
  }
  __int128 number = value.is_unsigned() ? __int128{value.as_uint()} : __int128{value.as_int()};
  Decimal out = rounded(Decimal::of_units(number, 0), to->scale, Nearest::Down);
  if (too_long(out)) fail(EventError::Cast);
  return out;
}

Value text_to(const std::string& text, TypeRef to) {
  auto must = [](auto parsed) {
    if (!parsed) fail(EventError::Cast);
    return *parsed;
  };
  switch (to->kind) {
    case Kind::Bool:
      if (text != "true" && text != "false") fail(EventError::Cast);
      return text == "true";
    case Kind::Time:
      return must(text::parse_time(text));
    case Kind::Duration:
      return must(text::parse_duration(text));
    case Kind::Enum:
      for (size_t i = 0; i < to->values.size(); ++i) {
        if (to->values[i] == text) return static_cast<int64_t>(i);
      }
      fail(EventError::Cast);
    case Kind::Float:
      return must(text::parse_float(text));
    case Kind::F32:
      return static_cast<double>(must(text::parse_float32(text)));
    case Kind::Decimal:
      return must(parse_decimal(text, to->scale));
    case Kind::U64:
      return must(text::parse_uint(text));
    default:
      return whole(must(text::parse_int(text)), to->kind);
  }
}

struct Spec {
  char align = 0;
  size_t width = 0;
  bool commas = false;
  int digits = -1;
  char kind = 0;
};

Spec parse_spec(const std::string& text) {
  Spec out;
  size_t at = 0;
  auto next = [&] { return at < text.size() ? text[at] : '\0'; };
  if (next() == '<' || next() == '>' || next() == '^') out.align = text[at++];
  while (std::isdigit(next())) out.width = out.width * 10 + static_cast<size_t>(text[at++] - '0');
  if (next() == ',') {
    out.commas = true;
    ++at;
  }
  if (next() == '.') {
    ++at;
    out.digits = 0;
    while (std::isdigit(next())) out.digits = out.digits * 10 + (text[at++] - '0');
  }
  out.kind = next();
  return out;
}

std::string with_commas(std::string digits) {
  size_t begin = digits.starts_with('-') ? 1 : 0;
  size_t end = std::min(digits.find_first_of(".e"), digits.size());
  for (size_t at = end; at > begin + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string format_number(const Value& value, TypeRef type, const Spec& spec) {
  double real = value.is_float()      ? value.as_float()
                : value.is_unsigned() ? static_cast<double>(value.as_uint())
                                      : static_cast<double>(value.as_int());
  std::string out;
  if (spec.kind == 'x' && value.is_unsigned()) {
    out = fmt::format("{:x}", value.as_uint());
  } else if (spec.kind == 'x' && value.is_int()) {
    out = fmt::format("{:x}", value.as_int());
  } else if (spec.kind == 'e') {
    out = fmt::format("{:.{}e}", real, spec.digits < 0 ? 6 : spec.digits);
  } else if (spec.kind == '%') {
    out = fmt::format("{:.{}f}%", real * 100, std::max(spec.digits, 0));
  } else if (spec.digits >= 0 && value.is_float()) {
    out = fmt::format("{:.{}f}", real, spec.digits);
  } else {
    out = plain_text(value, type);
    if (spec.digits > 0) out += "." + std::string(static_cast<size_t>(spec.digits), '0');
  }
  return spec.commas ? with_commas(out) : out;
}

// With that many digits behind the point.
std::string decimal_digits(const Decimal& value, int digits) {
  return to_text(rounded(value, digits, Nearest::HalfEven));
}

std::string format_decimal(const Decimal& value, const Spec& spec) {
  std::string out;
  if (spec.kind == 'e') {
    out = fmt::format("{:.{}e}", to_float(value), spec.digits < 0 ? 6 : spec.digits);
  } else if (spec.kind == '%') {
    out = decimal_digits(multiply(value, Decimal::of_int(100)), std::max(spec.digits, 0)) + "%";
  } else {
    out = decimal_digits(value, spec.digits < 0 ? value.scale : spec.digits);
  }
  return spec.commas ? with_commas(out) : out;
}

}  // namespace

Value cast(const Value& value, TypeRef from, TypeRef to) {
  if (typed::same(from, to)) return value;
  if (from->kind == Kind::Json) {
    auto tree = parse_json(value.as_text());
    auto taken = tree ? value_of(*tree, to, text::TimeUnit::Milli) : std::nullopt;
    if (!taken) fail(EventError::Cast);
    return *taken;
  }
  if (to->kind == Kind::String) return plain_text(value, from);
  if (from->kind == Kind::String) return text_to(value.as_text(), to);
  if (from->kind == Kind::Decimal) return decimal_to(value.as_decimal(), to);
  if (to->kind == Kind::Decimal) return to_decimal(value, to);
  return number_to_number(value, to->kind);
}

std::string plain_text(const Value& value, TypeRef type) {
  char buffer[64];
  if (type->kind == Kind::Optional) type = type->element;
  switch (type->kind) {
    case Kind::Bool:
      return value.as_bool() ? "true" : "false";
    case Kind::Float:
      return {buffer, text::format_float(value.as_float(), buffer)};
    case Kind::F32:
      return {buffer, text::format_float32(static_cast<float>(value.as_float()), buffer)};
    case Kind::Decimal:
      return to_text(value.as_decimal());
    case Kind::U64:
      return std::to_string(value.as_uint());
    case Kind::Time:
      return {buffer, text::format_time(value.as_int(), buffer)};
    case Kind::Duration:
      return {buffer, text::format_duration(value.as_int(), buffer)};
    case Kind::Enum:
      return type->values[static_cast<size_t>(value.as_int())];
    case Kind::String:
    case Kind::Bytes:
    case Kind::Json:
      return value.as_text();
    default:
      return std::to_string(value.as_int());
  }
}

std::string format(const Value& value, TypeRef type, const std::string& spec_text) {
  if (spec_text.empty()) return plain_text(value, type);
  if (type->kind == Kind::Time && spec_text.find('%') != std::string::npos) {
    auto seconds = static_cast<time_t>(std::floor(static_cast<long double>(value.as_int()) / 1e9L));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char buffer[256];
    return {buffer, std::strftime(buffer, sizeof(buffer), spec_text.c_str(), &parts)};
  }
  Spec spec = parse_spec(spec_text);
  std::string body = value.is_decimal()             ? format_decimal(value.as_decimal(), spec)
                     : typed::is_number(type->kind) ? format_number(value, type, spec)
                                                    : plain_text(value, type);
  auto width = static_cast<size_t>(code_points(body));
  size_t fill = spec.width > width ? spec.width - width : 0;
  char align = spec.align != 0 ? spec.align : type->kind == Kind::String ? '<' : '>';
  size_t left = align == '<' ? 0 : align == '>' ? fill : fill / 2;
  return std::string(left, ' ') + body + std::string(fill - left, ' ');
}

}  // namespace mut::reference
