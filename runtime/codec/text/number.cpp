#include "runtime/codec/text/number.h"

#include <fast_float/fast_float.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace mut::text {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text[0] == '+' && is_digit(text[1]) ? text.substr(1) : text;
}

template <typename Int>
std::optional<Int> parse_whole(std::string_view text) {
  text = without_plus(text);
  Int value;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

// sign? digits (. digits)? ([eE] sign? digits)?
bool is_number(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  if (at != end && (*at == '+' || *at == '-')) ++at;
  const char* digits = at;
  at = skip_digits(at, end);
  if (at == digits) return false;
  if (at != end && *at == '.') {
    digits = ++at;
    at = skip_digits(at, end);
    if (at == digits) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    if (++at != end && (*at == '+' || *at == '-')) ++at;
    digits = at;
    at = skip_digits(at, end);
    if (at == digits) return false;
  }
  return at == end;
}

template <typename Float>
std::optional<Float> parse_floating(std::string_view text) {
  if (!is_number(text)) {
    if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<Float>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<Float>::infinity();
    return std::nullopt;
  }
  text = without_plus(text);
  Float value;
  auto [end, code] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  // Both ways of the library's versions to say "too large".
  if (std::isinf(value) || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A decimal number as digits × 10^exponent. Empty when the digits do not fit in 38 places after
// trailing zeros are taken off; such numbers are no whole 64-bit numbers in any unit of ours.
struct Decimal {
  bool negative = false;
  unsigned __int128 digits = 0;
  int64_t exponent = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  if (!is_number(text)) return std::nullopt;
  Decimal out;
  size_t at = 0;
  if (text[0] == '+' || text[0] == '-') out.negative = text[at++] == '-';
  bool fraction = false;
  int64_t zeros = 0;  // seen, not yet multiplied in
  int significant = 0;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --out.exponent;
    if (text[at] == '0') {
      ++zeros;
      continue;
    }
    if (out.digits != 0) {
      significant += static_cast<int>(std::min<int64_t>(zeros, 40));
      if (significant > 37) return std::nullopt;
      for (; zeros > 0; --zeros) out.digits *= 10;
    }
    zeros = 0;
    if (++significant > 38) return std::nullopt;
    out.digits = out.digits * 10 + static_cast<unsigned>(text[at] - '0');
  }
  out.exponent += zeros;
  if (at < text.size()) {
    std::string_view exponent = without_plus(text.substr(at + 1));
    int64_t value = 0;
    auto [end, code] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
    constexpr int64_t far = 1'000'000'000;  // beyond any result, and sums stay in range
    if (code == std::errc::result_out_of_range || value > far || value < -far) {
      value = exponent[0] == '-' ? -far : far;
    }
    out.exponent += value;
  }
  if (out.digits == 0) out.exponent = 0;
  return out;
}

// digits × 10^exponent × unit as a magnitude; empty when not whole or above 2^64 - 1.
std::optional<uint64_t> magnitude(Decimal value, uint64_t unit) {
  if (value.digits == 0) return 0;
  unsigned __int128 digits = value.digits;
  unsigned __int128 factor = unit;
  int64_t exponent = value.exponent;
  for (; exponent < 0; ++exponent) {
    if (digits % 10 == 0) {
      digits /= 10;
    } else if (factor % 10 == 0) {
      factor /= 10;
    } else if (digits % 5 == 0 && factor % 2 == 0) {
      digits /= 5, factor /= 2;
    } else if (digits % 2 == 0 && factor % 5 == 0) {
      digits /= 2, factor /= 5;
    } else {
      return std::nullopt;
    }
  }
  constexpr unsigned __int128 limit = std::numeric_limits<uint64_t>::max();
  if (digits > limit || digits * factor > limit) return std::nullopt;
  digits *= factor;
  for (; exponent > 0; --exponent) {
    digits *= 10;
    if (digits > limit) return std::nullopt;
  }
  return static_cast<uint64_t>(digits);
}

std::optional<int64_t> with_sign(std::optional<uint64_t> size, bool negative) {
  constexpr uint64_t top = uint64_t{1} << 63;
  if (!size || *size > top || (*size == top && !negative)) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *size : *size);
}

}  // namespace

std::optional<int64_t> parse_int(std::string_view text) { return parse_whole<int64_t>(text); }
std::optional<uint64_t> parse_uint(std::string_view text) { return parse_whole<uint64_t>(text); }
std::optional<double> parse_float(std::string_view text) { return parse_floating<double>(text); }
std::optional<float> parse_float32(std::string_view text) { return parse_floating<float>(text); }

std::optional<int64_t> whole_number(std::string_view json_number) { return scaled_number(json_number, 1); }

std::optional<uint64_t> whole_number_unsigned(std::string_view json_number) {
  auto value = parse_decimal(json_number);
  if (!value || (value->negative && value->digits != 0)) return std::nullopt;
  return magnitude(*value, 1);
}

std::optional<int64_t> scaled_number(std::string_view text, int64_t unit) {
  auto value = parse_decimal(text);
  if (!value) return std::nullopt;
  return with_sign(magnitude(*value, static_cast<uint64_t>(unit)), value->negative);
}

char* format_int(int64_t value, char* to) { return std::to_chars(to, to + int_bytes_max, value).ptr; }
char* format_uint(uint64_t value, char* to) { return std::to_chars(to, to + int_bytes_max, value).ptr; }

namespace {

char* put(char* to, std::string_view text) {
  memcpy(to, text.data(), text.size());
  return to + text.size();
}

template <typename Float>
char* format_floating(Float value, char* to) {
  if (std::isnan(value)) return put(to, "NaN");
  if (std::isinf(value)) return put(to, value > 0 ? "Infinity" : "-Infinity");
  Float size = std::abs(value);
  if (size != 0 && (size < Float(1e-4) || size >= Float(1e16))) {
    return std::to_chars(to, to + float_bytes_max, value, std::chars_format::scientific).ptr;
  }
  char* end = std::to_chars(to, to + float_bytes_max, value, std::chars_format::fixed).ptr;
  return memchr(to, '.', static_cast<size_t>(end - to)) ? end : put(end, ".0");
}

}  // namespace

char* format_float(double value, char* to) { return format_floating(value, to); }
char* format_float32(float value, char* to) { return format_floating(value, to); }

}  // namespace mut::text
