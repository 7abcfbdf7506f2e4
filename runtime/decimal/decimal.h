// Exact decimals: a whole number of units of 10^-scale, of at most 38 digits. Nothing rounds but what says
// so.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mut::decimal {

using Units = __int128;

constexpr int digits_max = 38;
constexpr int scale_max = 28;
// What a quotient and a mean have behind the point beyond what they are made of.
constexpr int quotient_digits = 4;

// Which of two neighbours is taken; HalfEven: the nearer one, of two as near the even one.
enum class Rounding : uint8_t {
  HalfEven,
  Down,
  Floor,
  Ceiling,
  Exact
};  // Down: towards zero; Exact: neither

// 10^exponent, 0 to 38.
Units power_of_ten(int exponent);
// Whether it has no more than 38 digits.
bool fits(Units units);

// All of these are empty when the exact result has more than 38 digits, and hold it else. The scale of a sum,
// difference and remainder is the larger one, of a product the sum of both, of a quotient quotient_digits
// more than the larger one.
std::optional<Units> add(Units a, int a_scale, Units b, int b_scale);
std::optional<Units> subtract(Units a, int a_scale, Units b, int b_scale);
std::optional<Units> multiply(Units a, Units b);
// To the nearest, halves to even. `b` is not 0.
std::optional<Units> divide(Units a, int a_scale, Units b, int b_scale);
// With the sign of `a`; it always fits. `b` is not 0.
Units remainder(Units a, int a_scale, Units b, int b_scale);
// Below, at or above zero, whatever the scales.
int compare(Units a, int a_scale, Units b, int b_scale);
// Also empty when Exact finds digits that would be lost.
std::optional<Units> rescale(Units units, int from, int to, Rounding rounding);

// A sum in 192 bits, so that later values can bring back what does not fit.
struct Sum {
  uint64_t low = 0;
  uint64_t middle = 0;
  int64_t high = 0;
};
std::optional<Units> total(const Sum& sum);
// With quotient_digits more behind the point than the sum. `count` is not 0.
std::optional<Units> mean(const Sum& sum, uint64_t count);

// The nearest double.
double to_double(Units units, int scale);
// A double is what it is printed as: its shortest text that reads back. Empty when that does not fit the
// scale exactly.
std::optional<Units> from_double(double value, int scale);

// A sign, digits, a fraction, an exponent: the whole text. Empty when it is no number or does not fit
// exactly.
std::optional<Units> parse(std::string_view text, int scale);
// How many digits behind the point such a text needs. Empty when it is none, or they are more than 28.
std::optional<int> scale_of(std::string_view text);

constexpr size_t bytes_max = 42;  // sign, 38 digits, point, a leading zero
// With exactly `scale` digits behind the point. Writes to `to` and returns the end.
char* format(Units units, int scale, char* to);

}  // namespace mut::decimal
