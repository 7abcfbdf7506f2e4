#include "runtime/decimal/decimal.h"

#include <algorithm>

#include "runtime/abi/deliberate.h"
#include "runtime/decimal/wide.h"

namespace mut::decimal {
namespace {

using Magnitude = unsigned __int128;

constexpr int powers = digits_max + 1;
struct Powers {
  Units of[powers];
  constexpr Powers() : of() {
    of[0] = 1;
    for (int i = 1; i < powers; ++i) of[i] = of[i - 1] * 10;
  }
};
constexpr Powers tens;
constexpr Units largest = tens.of[digits_max] - 1;

Magnitude size_of(Units units) {
  return units < 0 ? Magnitude{0} - static_cast<Magnitude>(units) : static_cast<Magnitude>(units);
}

std::optional<Units> with_sign(Magnitude size, bool negative) {
  if (size > static_cast<Magnitude>(largest)) return std::nullopt;
  return negative ? -static_cast<Units>(size) : static_cast<Units>(size);
}

// a × 10^exponent as a magnitude; empty when it is beyond 128 bits. Exponents up to 52.
std::optional<Magnitude> raised(Magnitude size, int exponent) {
  for (; exponent > digits_max; --exponent) {
    if (__builtin_mul_overflow(size, Magnitude{10}, &size)) return std::nullopt;
  }
  if (__builtin_mul_overflow(size, static_cast<Magnitude>(tens.of[exponent]), &size)) return std::nullopt;
  return size;
}

std::optional<Units> sum_of(Units a, int a_scale, Units b, int b_scale, bool subtracts) {
  int scale = std::max(a_scale, b_scale);
  auto left = raised(size_of(a), scale - a_scale);
  auto right = raised(size_of(b), scale - b_scale);
  // The other one is below 10^38: it does not bring back what is beyond 2^128.
  if (!left || !right) return std::nullopt;
  bool negative = a < 0;
  if ((b < 0) != subtracts == negative) {
    Magnitude size = 0;
    if (__builtin_add_overflow(*left, *right, &size)) return std::nullopt;
    return with_sign(size, negative);
  }
  return *left >= *right ? with_sign(*left - *right, negative) : with_sign(*right - *left, !negative);
}

std::optional<Units> rounded(Magnitude quotient, Magnitude rest, Magnitude divisor, bool negative,
                             Rounding rounding) {
  bool up = false;
  switch (rounding) {
    case Rounding::HalfEven: {
      Magnitude other = divisor - rest;
      up = rest > other || (rest == other && ((quotient & 1U) != 0 || MUT_DELIBERATE_FAULT(decimal_half_up)));
      break;
    }
    case Rounding::Down:
      break;
    case Rounding::Floor:
      up = negative && rest != 0;
      break;
    case Rounding::Ceiling:
      up = !negative && rest != 0;
      break;
    case Rounding::Exact:
      if (rest != 0) return std::nullopt;
      break;
  }
  return with_sign(quotient + (up ? 1U : 0U), negative);
}

}  // namespace

Units power_of_ten(int exponent) { return tens.of[exponent]; }
bool fits(Units units) { return units >= -largest && units <= largest; }

std::optional<Units> add(Units a, int a_scale, Units b, int b_scale) {
  return sum_of(a, a_scale, b, b_scale, false);
}
std::optional<Units> subtract(Units a, int a_scale, Units b, int b_scale) {
  return sum_of(a, a_scale, b, b_scale, true);
}

std::optional<Units> multiply(Units a, Units b) {
  Units product = 0;
  if (__builtin_mul_overflow(a, b, &product) || !fits(product)) return std::nullopt;
  return product;
}

std::optional<Units> divide(Units a, int a_scale, Units b, int b_scale) {
  int exponent = std::max(a_scale, b_scale) + quotient_digits - a_scale + b_scale;
  int rest_exponent = std::min(exponent, digits_max);
  bool negative = (a < 0) != (b < 0);
  Magnitude divisor = size_of(b);
  // The divisor is below 10^38, so a dividend beyond 2^128 × 10^38 has no quotient that fits.
  auto size = raised(size_of(a), exponent - rest_exponent);
  if (!size) return std::nullopt;
  Magnitude rest = 0;
  auto quotient =
      divide_wide(multiply_wide(*size, static_cast<Magnitude>(tens.of[rest_exponent])), divisor, rest);
  if (!quotient) return std::nullopt;
  return rounded(*quotient, rest, divisor, negative, Rounding::HalfEven);
}

Units remainder(Units a, int a_scale, Units b, int b_scale) {
  int scale = std::max(a_scale, b_scale);
  Magnitude size = size_of(a);
  auto divisor = raised(size_of(b), scale - b_scale);
  if (!divisor) return a;  // it is larger than any `a`
  Magnitude rest = size % *divisor;
  Wide dividend = multiply_wide(rest, static_cast<Magnitude>(tens.of[scale - a_scale]));
  divide_wide({dividend.high % *divisor, dividend.low}, *divisor, rest);
  return a < 0 ? -static_cast<Units>(rest) : static_cast<Units>(rest);
}

int compare(Units a, int a_scale, Units b, int b_scale) {
  if (a_scale > b_scale) return -compare(b, b_scale, a, a_scale);
  Units factor = tens.of[b_scale - a_scale];
  Units whole = b / factor;
  if (a != whole) return a < whole ? -1 : 1;
  if (MUT_DELIBERATE_FAULT(decimal_rest_ignored)) return 0;
  Units rest = b % factor;
  return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

std::optional<Units> rescale(Units units, int from, int to, Rounding rounding) {
  bool negative = units < 0;
  if (to >= from) {
    auto size = raised(size_of(units), to - from);
    return size ? with_sign(*size, negative) : std::nullopt;
  }
  auto factor = static_cast<Magnitude>(tens.of[from - to]);
  Magnitude size = size_of(units);
  return rounded(size / factor, size % factor, factor, negative, rounding);
}

namespace {

struct SignedWide {
  Wide size;
  bool negative = false;
};
SignedWide widened(const Sum& sum) {
  Wide out{static_cast<Magnitude>(static_cast<Units>(sum.high)),
           static_cast<Magnitude>(sum.middle) << 64 | sum.low};
  if (sum.high >= 0) return {out, false};
  out.low = ~out.low + 1;
  out.high = ~out.high + (out.low == 0 ? 1 : 0);
  return {out, true};
}

}  // namespace

std::optional<Units> total(const Sum& sum) {
  SignedWide of = widened(sum);
  return of.size.high != 0 ? std::nullopt : with_sign(of.size.low, of.negative);
}

std::optional<Units> mean(const Sum& sum, uint64_t count) {
  SignedWide of = widened(sum);
  auto factor = static_cast<Magnitude>(tens.of[quotient_digits]);
  Wide dividend = multiply_wide(of.size.low, factor);
  dividend.high += of.size.high * factor;  // 64 and 14 bits
  Magnitude rest = 0;
  auto quotient = divide_wide(dividend, count, rest);
  if (!quotient) return std::nullopt;
  return rounded(*quotient, rest, count, of.negative, Rounding::HalfEven);
}

}  // namespace mut::decimal
