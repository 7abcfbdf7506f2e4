// Decimals as text, and what goes by way of text: doubles.
#include <fast_float/fast_float.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/decimal/decimal.h"

namespace mut::decimal {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

constexpr int64_t far = 1'000'000'000;  // beyond any digit that counts, and sums stay in range

// The parts of a number as written.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  std::string_view out = text.substr(0, count);
  text.remove_prefix(count);
  return out;
}

std::optional<Parts> parts_of(std::string_view text) {
  Parts out;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  out.whole = take_digits(text);
  if (out.whole.empty()) return std::nullopt;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
    if (out.fraction.empty()) return std::nullopt;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    bool down = !text.empty() && text[0] == '-';
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    for (char c : digits) out.exponent = std::min(far, out.exponent * 10 + (c - '0'));
    if (down) out.exponent = -out.exponent;
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

// Each digit with the power of ten it stands for, from the largest on; `visit` may end it with false.
template <typename Visit>
bool for_each_digit(const Parts& of, Visit visit) {
  int64_t power = static_cast<int64_t>(of.whole.size()) + of.exponent;
  for (std::string_view digits : {of.whole, of.fraction}) {
    for (char c : digits) {
      if (!visit(c - '0', --power)) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Units> parse(std::string_view text, int scale) {
  auto of = parts_of(text);
  if (!of) return std::nullopt;
  Units units = 0;
  int64_t lowest = -scale;  // of the last digit that was taken in
  bool fine = for_each_digit(*of, [&](int digit, int64_t power) {
    if (power < -scale) return digit == 0;
    lowest = power;
    if (units == 0 && digit == 0) return true;
    units = units * 10 + digit;
    return fits(units);
  });
  if (!fine) return std::nullopt;
  if (units == 0) return Units{0};
  int64_t missing = lowest + scale;
  if (missing > digits_max) return std::nullopt;
  auto out = rescale(units, 0, static_cast<int>(missing), Rounding::Exact);
  if (out && of->negative) *out = -*out;
  return out;
}

std::optional<int> scale_of(std::string_view text) {
  auto of = parts_of(text);
  if (!of) return std::nullopt;
  // As written: `1.50` has two. An exponent moves the point.
  int64_t scale = std::max<int64_t>(0, static_cast<int64_t>(of->fraction.size()) - of->exponent);
  if (scale > scale_max) return std::nullopt;
  return static_cast<int>(scale);
}

char* format(Units units, int scale, char* to) {
  char digits[digits_max + 2];
  char* end = digits + sizeof(digits);
  char* at = end;
  if (units < 0) *to++ = '-';
  auto size = units < 0 ? -units : units;
  for (int place = 0; size != 0 || place <= scale; ++place) {
    *--at = static_cast<char>('0' + static_cast<int>(size % 10));
    size /= 10;
  }
  auto whole = static_cast<size_t>(end - at) - static_cast<size_t>(scale);
  memcpy(to, at, whole);
  to += whole;
  if (scale == 0) return to;
  *to++ = '.';
  memcpy(to, at + whole, static_cast<size_t>(scale));
  return to + scale;
}

double to_double(Units units, int scale) {
  // Both exact in a double: one rounding, hence the nearest.
  constexpr Units exact = Units{1} << 53;
  constexpr int exact_power = 22;
  if (units >= -exact && units <= exact && scale <= exact_power)
    return static_cast<double>(units) / static_cast<double>(power_of_ten(scale));
  char text[bytes_max];
  char* end = format(units, scale, text);
  double out = 0;
  fast_float::from_chars(text, end, out);
  return out;
}

std::optional<Units> from_double(double value, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  char text[32];
  char* end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  return parse({text, static_cast<size_t>(end - text)}, scale);
}

}  // namespace mut::decimal
