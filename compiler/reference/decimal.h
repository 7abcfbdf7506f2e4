// Decimals as one writes them on paper: digits in a text, as many as come. The engine has its own.
#pragma once
#include <optional>
#include <string>

namespace mut::reference {

struct Decimal {
  bool negative = false;  // never of zero
  std::string digits;     // without leading zeros; empty: zero
  int scale = 0;          // so many of them stand behind the point

  static Decimal of_units(__int128 units, int scale);
  static Decimal of_int(int64_t whole) { return of_units(whole, 0); }
};

enum class Nearest : uint8_t { HalfEven, Down, Floor, Ceiling };

// The exact results, of any length; too_long() tells which are none of the language.
Decimal add(const Decimal& a, const Decimal& b);
Decimal negated(Decimal value);
Decimal multiply(const Decimal& a, const Decimal& b);
// To `scale` digits, halves to even. `b` is not zero.
Decimal divide(const Decimal& a, const Decimal& b, int scale);
Decimal remainder(const Decimal& a, const Decimal& b);
Decimal rounded(const Decimal& value, int scale, Nearest nearest);
// Whether it has more than 38 digits.
bool too_long(const Decimal& value);
int compare(const Decimal& a, const Decimal& b);

// Of a number as a script, JSON or CSV write it. Empty when it is none, or not exactly one of that scale and
// 38 digits.
std::optional<Decimal> parse_decimal(const std::string& text, int scale);
std::string to_text(const Decimal& value);
double to_float(const Decimal& value);
// The value of the shortest text that reads back as that float.
std::optional<Decimal> from_float(double value, int scale);
// The number of units; it has 38 digits at most.
__int128 units_of(const Decimal& value);

}  // namespace mut::reference
