#include "compiler/syntax/literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace mut::syntax {
namespace {

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};
// Largest first, the order in which they must stand.
constexpr std::array<Unit, 8> units = {{{"w", 604'800'000'000'000},
                                        {"d", 86'400'000'000'000},
                                        {"h", 3'600'000'000'000},
                                        {"m", 60'000'000'000},
                                        {"s", 1'000'000'000},
                                        {"ms", 1'000'000},
                                        {"us", 1'000},
                                        {"ns", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Number malformed(std::string suggestion = "") {
  Number out;
  out.fault = NumberFault::Malformed;
  out.suggestion = std::move(suggestion);
  return out;
}

// Digits with single `_` between them, or nothing.
std::optional<std::string> plain_digits(std::string_view text) {
  std::string out;
  bool last_is_digit = false;
  for (char c : text) {
    if (c == '_' && !last_is_digit) return std::nullopt;
    last_is_digit = c != '_';
    if (last_is_digit) out += c;
  }
  if (!last_is_digit) return std::nullopt;
  return out;
}

Number read_whole(std::string_view digits, int base) {
  Number out;
  auto plain = plain_digits(digits);
  if (!plain) return malformed();
  auto [end, error] = std::from_chars(plain->data(), plain->data() + plain->size(), out.whole, base);
  if (error == std::errc::result_out_of_range)
    out.fault = NumberFault::OutOfRange;
  else if (error != std::errc() || end != plain->data() + plain->size())
    return malformed();
  return out;
}

Number read_real(std::string_view text) {
  std::string plain;
  std::string_view rest = text;
  while (!rest.empty()) {  // every run of digits by itself
    size_t run = 0;
    while (run < rest.size() && (is_digit(rest[run]) || rest[run] == '_')) ++run;
    if (run > 0) {
      auto digits = plain_digits(rest.substr(0, run));
      if (!digits) return malformed();
      plain += *digits;
    } else {
      plain += rest[0];
      run = 1;
    }
    rest.remove_prefix(run);
  }
  Number out;
  out.kind = NumberKind::Float;
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), out.real);
  if (error == std::errc::result_out_of_range) {
    // Too small is zero, as everywhere; only too large is refused.
    size_t exponent = plain.find_first_of("eE");
    bool tiny = exponent != std::string::npos && plain[exponent + 1] == '-';
    if (!tiny) out.fault = NumberFault::OutOfRange;
    out.real = 0;
  } else if (error != std::errc() || end != plain.data() + plain.size()) {
    return malformed();
  }
  return out;
}

// The nearest unit to something that is none: `10min` is `10m`.
std::string suggest_unit(std::string_view amount, std::string_view unit) {
  struct Spelling {
    std::string_view wrong, right;
  };
  static constexpr std::array<Spelling, 24> spellings = {
      {{"sec", "s"},  {"secs", "s"},   {"second", "s"},  {"seconds", "s"}, {"S", "s"},     {"min", "m"},
       {"mins", "m"}, {"minute", "m"}, {"minutes", "m"}, {"M", "m"},       {"hr", "h"},    {"hrs", "h"},
       {"hour", "h"}, {"hours", "h"},  {"H", "h"},       {"day", "d"},     {"days", "d"},  {"D", "d"},
       {"week", "w"}, {"weeks", "w"},  {"msec", "ms"},   {"millis", "ms"}, {"usec", "us"}, {"nsec", "ns"}}};
  for (const Spelling& spelling : spellings) {
    if (spelling.wrong == unit) return std::string(amount) + std::string(spelling.right);
  }
  return "";
}

Number read_duration(std::string_view text) {
  Number out;
  out.kind = NumberKind::Duration;
  size_t next_unit = 0;
  int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t amount_size = 0;
    while (amount_size < rest.size() && !is_letter(rest[amount_size])) ++amount_size;
    size_t unit_end = amount_size;
    while (unit_end < rest.size() && is_letter(rest[unit_end])) ++unit_end;
    std::string_view amount = rest.substr(0, amount_size);
    std::string_view name = rest.substr(amount_size, unit_end - amount_size);
    auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == units.end()) return malformed(rest.size() == text.size() ? suggest_unit(amount, name) : "");
    auto index = static_cast<size_t>(unit - units.begin());
    if (index < next_unit) return malformed();
    next_unit = index + 1;

    size_t point = amount.find('.');
    auto whole = plain_digits(amount.substr(0, point));
    if (!whole) return malformed();
    int64_t count = 0;
    auto [end, error] = std::from_chars(whole->data(), whole->data() + whole->size(), count);
    int64_t part = 0;
    if (error == std::errc() && end != whole->data() + whole->size()) return malformed();
    if (error != std::errc() || __builtin_mul_overflow(count, unit->nanoseconds, &part)) {
      out.fault = NumberFault::OutOfRange;
    }
    if (point != std::string_view::npos) {
      auto fraction = plain_digits(amount.substr(point + 1));
      if (!fraction) return malformed();
      int64_t scale = unit->nanoseconds;
      for (char digit : *fraction) {
        if (!is_digit(digit)) return malformed();
        // A digit below one nanosecond means nothing unless it is zero.
        if (digit != '0' && (scale == 0 || scale % 10 != 0)) return malformed();
        scale /= 10;
        part += (digit - '0') * scale;
      }
    }
    if (__builtin_add_overflow(total, part, &total)) out.fault = NumberFault::OutOfRange;
    rest.remove_prefix(unit_end);
  }
  out.nanoseconds = total;
  return out;
}

std::optional<int> fixed_digits(std::string_view text, size_t at, size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

Number read_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    return read_whole(text.substr(2), 16);
  bool has_letter = std::any_of(text.begin(), text.end(), is_letter);
  bool has_point = text.find('.') != std::string_view::npos;
  if (!has_letter) return has_point ? read_real(text) : read_whole(text, 10);
  size_t letter = static_cast<size_t>(std::find_if(text.begin(), text.end(), is_letter) - text.begin());
  bool exponent = text[letter] == 'e' || text[letter] == 'E';
  if (exponent && letter + 1 < text.size() && !is_letter(text[letter + 1])) return read_real(text);
  return read_duration(text);
}

TimeText read_time(std::string_view text) {
  auto year = fixed_digits(text, 0, 4);
  auto month = fixed_digits(text, 5, 2);
  auto day = fixed_digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return {};
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {};
  int64_t seconds = std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400};
  int64_t fraction = 0;
  size_t at = 10;
  if (at < text.size()) {
    auto hour = fixed_digits(text, 11, 2);
    auto minute = fixed_digits(text, 14, 2);
    if (text[10] != 'T' || !hour || !minute || text[13] != ':' || *hour > 23 || *minute > 59) return {};
    seconds += *hour * 3600 + *minute * 60;
    at = 16;
    if (at < text.size() && text[at] == ':') {
      auto second = fixed_digits(text, at + 1, 2);
      if (!second || *second > 59) return {};
      seconds += *second;
      at += 3;
      if (at < text.size() && text[at] == '.') {
        int64_t scale = 1'000'000'000;
        size_t begin = ++at;
        for (; at < text.size() && is_digit(text[at]); ++at) {
          scale /= 10;
          if (scale == 0) return {};  // finer than a nanosecond
          fraction += (text[at] - '0') * scale;
        }
        if (at == begin) return {};
      }
    }
    if (at < text.size() && text[at] == 'Z') {
      ++at;
    } else if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
      auto hours = fixed_digits(text, at + 1, 2);
      auto minutes = fixed_digits(text, at + 4, 2);
      if (!hours || !minutes || text[at + 3] != ':' || *hours > 23 || *minutes > 59) return {};
      int64_t offset = *hours * 3600 + *minutes * 60;
      seconds += text[at] == '+' ? -offset : offset;
      at += 6;
    }
  }
  TimeText out;
  out.valid = at == text.size() &&
              !__builtin_mul_overflow(seconds, int64_t{1'000'000'000}, &out.nanoseconds) &&
              !__builtin_add_overflow(out.nanoseconds, fraction, &out.nanoseconds);
  return out;
}

}  // namespace mut::syntax
