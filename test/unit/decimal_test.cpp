// The engine's decimals against those of the interpreter, which calculates with digits on paper, and against
// values by hand.
#include "runtime/decimal/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "compiler/reference/decimal.h"

namespace mut::decimal {
namespace {

using Paper = reference::Decimal;

std::string text(Units units, int scale) {
  char buffer[bytes_max];
  return {buffer, format(units, scale, buffer)};
}
std::string text(std::optional<Units> units, int scale) { return units ? text(*units, scale) : "too long"; }
std::string text(const Paper& value) {
  return reference::too_long(value) ? "too long" : reference::to_text(value);
}

Units units(const char* written, int scale) {
  auto out = parse(written, scale);
  EXPECT_TRUE(out) << written;
  return out.value_or(0);
}

class Numbers {
 public:
  int scale() { return of(0, scale_max); }
  // Of any number of digits, with zeros and nines more often than chance.
  Units number() {
    int digits = of(0, digits_max);
    int kind = of(0, 7);
    Units out = 0;
    for (int i = 0; i < digits; ++i) {
      int digit = kind == 0   ? 9
                  : kind == 1 ? (i == 0 ? 1 : 0)
                  : kind == 2 ? (i + 1 == digits ? 5 : 0)
                              : of(0, 9);
      out = out * 10 + digit;
    }
    return of(0, 1) == 0 ? out : -out;
  }

 private:
  int of(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::mt19937 random_{20260101};
};

TEST(Decimal, ArithmeticIsThatOnPaper) {
  Numbers numbers;
  for (int i = 0; i < 60'000; ++i) {
    int a_scale = numbers.scale();
    int b_scale = numbers.scale();
    Units a = numbers.number();
    Units b = numbers.number();
    Paper x = Paper::of_units(a, a_scale);
    Paper y = Paper::of_units(b, b_scale);
    std::string pair = text(a, a_scale) + " and " + text(b, b_scale);
    int scale = std::max(a_scale, b_scale);
    ASSERT_EQ(text(add(a, a_scale, b, b_scale), scale), text(reference::add(x, y))) << pair;
    ASSERT_EQ(text(subtract(a, a_scale, b, b_scale), scale), text(reference::add(x, reference::negated(y))))
        << pair;
    ASSERT_EQ(compare(a, a_scale, b, b_scale), reference::compare(x, y)) << pair;
    if (a_scale + b_scale <= scale_max) {
      ASSERT_EQ(text(multiply(a, b), a_scale + b_scale), text(reference::multiply(x, y))) << pair;
    }
    if (b == 0) continue;
    ASSERT_EQ(text(remainder(a, a_scale, b, b_scale), scale), text(reference::remainder(x, y))) << pair;
    if (scale + quotient_digits > scale_max) continue;
    ASSERT_EQ(text(divide(a, a_scale, b, b_scale), scale + quotient_digits),
              text(reference::divide(x, y, scale + quotient_digits)))
        << pair;
  }
}

TEST(Decimal, RoundingAndTextAreThoseOnPaper) {
  Numbers numbers;
  for (int i = 0; i < 60'000; ++i) {
    int from = numbers.scale();
    int to = numbers.scale();
    Units a = numbers.number();
    Paper x = Paper::of_units(a, from);
    std::string case_of = text(a, from) + " to " + std::to_string(to);
    ASSERT_EQ(text(a, from), reference::to_text(x));
    auto rounded = [&](Rounding rounding, reference::Nearest nearest) {
      ASSERT_EQ(text(rescale(a, from, to, rounding), to), text(reference::rounded(x, to, nearest)))
          << case_of;
    };
    rounded(Rounding::HalfEven, reference::Nearest::HalfEven);
    rounded(Rounding::Down, reference::Nearest::Down);
    rounded(Rounding::Floor, reference::Nearest::Floor);
    rounded(Rounding::Ceiling, reference::Nearest::Ceiling);
    auto parsed = reference::parse_decimal(text(a, from), to);
    ASSERT_EQ(text(parse(text(a, from), to), to), parsed ? text(*parsed) : "too long") << case_of;
    ASSERT_EQ(text(rescale(a, from, to, Rounding::Exact), to), parsed ? text(*parsed) : "too long")
        << case_of;
    ASSERT_EQ(to_double(a, from), reference::to_float(x)) << case_of;
    auto back = reference::from_float(to_double(a, from), to);
    ASSERT_EQ(text(from_double(to_double(a, from), to), to), back ? text(*back) : "too long") << case_of;
  }
}

TEST(Decimal, ASumComesBackFromBeyondWhatFits) {
  // 10^38 - 1 three times.
  Units most = power_of_ten(digits_max) - 1;
  auto thrice = static_cast<unsigned __int128>(most) * 3;  // below 2^128
  Sum sum = {static_cast<uint64_t>(thrice), static_cast<uint64_t>(thrice >> 64), 0};
  EXPECT_FALSE(total(sum));
  EXPECT_EQ(text(mean(sum, 3), quotient_digits), "too long");  // four digits more do not fit
  EXPECT_EQ(text(mean(sum, 30'000), quotient_digits), "9999999999999999999999999999999999.9999");
  EXPECT_EQ(text(total({~uint64_t{0}, ~uint64_t{0}, -1}), 2), "-0.01");
  EXPECT_EQ(text(mean({~uint64_t{0}, ~uint64_t{0}, -1}, 3), 2 + quotient_digits), "-0.003333");
}

TEST(Decimal, WhatIsNoNumberOrDoesNotFitIsNone) {
  for (const char* bad : {"",
                          "-",
                          "+",
                          ".",
                          "1.",
                          ".5",
                          "1e",
                          "1e+",
                          " 1",
                          "1 ",
                          "0x1",
                          "1_0",
                          "NaN",
                          "Infinity",
                          "1,5",
                          "--1",
                          "1.005",
                          "1e-3",
                          "1e37",
                          "1000000000000000000000000000000000000",
                          "1e999999999999999999999"})
    EXPECT_FALSE(parse(bad, 2)) << bad;
  EXPECT_EQ(text(units("0e999999999999999999999", 2), 2), "0.00");
  EXPECT_EQ(text(units("-0.00000", 2), 2), "0.00");
  EXPECT_EQ(text(units("1.2300000000000000000000000000000000000000000000000", 2), 2), "1.23");
  EXPECT_EQ(text(units("+12e-1", 2), 2), "1.20");
  EXPECT_EQ(text(units("00012", 0), 0), "12");
  EXPECT_EQ(text(units("999999999999999999999999999999999999.99", 2), 2),
            "999999999999999999999999999999999999.99");
  EXPECT_EQ(scale_of("1.50"), 2);
  EXPECT_EQ(scale_of("1e5"), 0);
  EXPECT_EQ(scale_of("2.5e-3"), 4);
  EXPECT_FALSE(scale_of("1e-29"));
}

TEST(Decimal, HalvesGoToTheEvenNeighbour) {
  auto third = [](const char* a, const char* b) {
    return text(divide(units(a, 0), 0, units(b, 0), 0), quotient_digits);
  };
  EXPECT_EQ(third("1", "3"), "0.3333");
  EXPECT_EQ(third("2", "3"), "0.6667");
  EXPECT_EQ(third("1", "32"), "0.0312");  // 0.03125
  EXPECT_EQ(third("3", "32"), "0.0938");  // 0.09375
  EXPECT_EQ(third("-3", "32"), "-0.0938");
  // A dividend that 128 bits do not hold, and a quotient that does not fit.
  EXPECT_EQ(text(divide(power_of_ten(37), 0, power_of_ten(36), 0), quotient_digits), "10.0000");
  EXPECT_EQ(text(divide(power_of_ten(37), 0, 1, 20), 24), "too long");
}

}  // namespace
}  // namespace mut::decimal
