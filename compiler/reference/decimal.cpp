#include "compiler/reference/decimal.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace mut::reference {
namespace {

constexpr size_t digits_max = 38;

std::string stripped(std::string digits) {
  return digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
}

std::string with_zeros(const std::string& digits, int count) {
  return digits.empty() ? digits : digits + std::string(static_cast<size_t>(count), '0');
}

// ---- whole numbers in digits

int order(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

std::string sum(std::string a, std::string b) {
  if (a.size() < b.size()) std::swap(a, b);
  b.insert(0, a.size() - b.size(), '0');
  int carry = 0;
  for (size_t i = a.size(); i-- > 0;) {
    int digit = a[i] - '0' + (b[i] - '0') + carry;
    a[i] = static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  return carry > 0 ? "1" + a : a;
}

// a - b, which is not below zero.
std::string difference(std::string a, std::string b) {
  b.insert(0, a.size() - b.size(), '0');
  int borrowed = 0;
  for (size_t i = a.size(); i-- > 0;) {
    int digit = a[i] - b[i] - borrowed;
    borrowed = digit < 0 ? 1 : 0;
    a[i] = static_cast<char>('0' + (digit + 10) % 10);
  }
  return stripped(a);
}

struct Quotient {
  std::string whole;
  std::string rest;
};
Quotient quotient(const std::string& a, const std::string& b) {
  Quotient out;
  for (char digit : a) {
    out.rest = stripped(out.rest + digit);
    char times = '0';
    for (; order(out.rest, b) >= 0; ++times) out.rest = difference(out.rest, b);
    out.whole += times;
  }
  out.whole = stripped(out.whole);
  return out;
}

// ---- with a sign and a point

Decimal made(bool negative, std::string digits, int scale) {
  Decimal out{false, stripped(std::move(digits)), scale};
  out.negative = negative && !out.digits.empty();
  return out;
}

std::string digits_at(const Decimal& value, int scale) {
  return with_zeros(value.digits, scale - value.scale);
}

bool is_even(const std::string& digits) { return digits.empty() || (digits.back() - '0') % 2 == 0; }

}  // namespace

Decimal Decimal::of_units(__int128 units, int scale) {
  std::string digits;
  for (__int128 rest = units < 0 ? -units : units; rest > 0; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return made(units < 0, digits, scale);
}

Decimal add(const Decimal& a, const Decimal& b) {
  int scale = std::max(a.scale, b.scale);
  std::string x = digits_at(a, scale);
  std::string y = digits_at(b, scale);
  if (a.negative == b.negative) return made(a.negative, sum(x, y), scale);
  return order(x, y) >= 0 ? made(a.negative, difference(x, y), scale)
                          : made(b.negative, difference(y, x), scale);
}

Decimal negated(Decimal value) { return made(!value.negative, value.digits, value.scale); }

Decimal multiply(const Decimal& a, const Decimal& b) {
  std::string out;
  for (char digit : b.digits) {
    out = with_zeros(out, 1);
    for (char times = '0'; times < digit; ++times) out = sum(out, a.digits);
  }
  return made(a.negative != b.negative, out, a.scale + b.scale);
}

Decimal divide(const Decimal& a, const Decimal& b, int scale) {
  auto [whole, rest] = quotient(with_zeros(a.digits, scale - a.scale + b.scale), b.digits);
  int half = order(sum(rest, rest), b.digits);
  if (half > 0 || (half == 0 && !is_even(whole))) whole = sum(whole, "1");
  return made(a.negative != b.negative, whole, scale);
}

Decimal remainder(const Decimal& a, const Decimal& b) {
  int scale = std::max(a.scale, b.scale);
  return made(a.negative, quotient(digits_at(a, scale), digits_at(b, scale)).rest, scale);
}

Decimal rounded(const Decimal& value, int scale, Nearest nearest) {
  if (scale >= value.scale) return made(value.negative, digits_at(value, scale), scale);
  auto lost_count = static_cast<size_t>(value.scale - scale);
  std::string all = value.digits;
  if (all.size() < lost_count) all.insert(0, lost_count - all.size(), '0');
  std::string kept = stripped(all.substr(0, all.size() - lost_count));
  std::string lost = all.substr(all.size() - lost_count);
  bool nothing = lost.find_first_not_of('0') == std::string::npos;
  std::string half = "5" + std::string(lost_count - 1, '0');
  bool up = nearest == Nearest::HalfEven  ? lost > half || (lost == half && !is_even(kept))
            : nearest == Nearest::Floor   ? value.negative && !nothing
            : nearest == Nearest::Ceiling ? !value.negative && !nothing
                                          : false;
  return made(value.negative, up ? sum(kept, "1") : kept, scale);
}

bool too_long(const Decimal& value) { return value.digits.size() > digits_max; }

int compare(const Decimal& a, const Decimal& b) {
  Decimal difference = add(a, negated(b));
  return difference.digits.empty() ? 0 : difference.negative ? -1 : 1;
}

std::optional<Decimal> parse_decimal(const std::string& text, int scale) {
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  auto digits = [&] {
    size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return text.substr(begin, at - begin);
  };
  std::string whole = digits();
  if (whole.empty()) return std::nullopt;
  std::string fraction;
  if (at < text.size() && text[at] == '.') {
    ++at;
    fraction = digits();
    if (fraction.empty()) return std::nullopt;
  }
  long point = static_cast<long>(whole.size());  // digits before it
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    bool down = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    std::string power = digits();
    if (power.empty()) return std::nullopt;
    long size = stripped(power).size() > 9 ? 1'000'000'000 : std::atol(power.c_str());
    point += down ? -size : size;
  }
  if (at != text.size()) return std::nullopt;
  // The digits that count, and where the point stands among them.
  std::string all = whole + fraction;
  size_t first = all.find_first_not_of('0');
  if (first == std::string::npos) return made(false, "", scale);
  size_t last = all.find_last_not_of('0');
  long behind = static_cast<long>(last) + 1 - point;  // below zero: zeros follow
  long zeros = scale - behind;
  if (zeros < 0 || zeros > static_cast<long>(digits_max)) return std::nullopt;
  Decimal out =
      made(text[0] == '-', with_zeros(all.substr(first, last - first + 1), static_cast<int>(zeros)), scale);
  if (too_long(out)) return std::nullopt;
  return out;
}

std::string to_text(const Decimal& value) {
  auto scale = static_cast<size_t>(value.scale);
  std::string digits = value.digits;
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (value.negative ? "-" : "") + digits;
}

double to_float(const Decimal& value) { return std::strtod(to_text(value).c_str(), nullptr); }

std::optional<Decimal> from_float(double value, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  char text[64];
  for (int digits = 1; digits <= 17; ++digits) {
    snprintf(text, sizeof(text), "%.*e", digits - 1, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return parse_decimal(text, scale);
}

__int128 units_of(const Decimal& value) {
  __int128 out = 0;
  for (char digit : value.digits) out = out * 10 + (digit - '0');
  return value.negative ? -out : out;
}

}  // namespace mut::reference
