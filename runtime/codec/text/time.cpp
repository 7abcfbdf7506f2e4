#include "runtime/codec/text/time.h"

#include <array>
#include <cstring>

#include "runtime/codec/text/number.h"

namespace mut::text {
namespace {

constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t day_seconds = 86'400;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's algorithm).
int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct Civil {
  int year, month, day;
};

Civil civil_from_days(int64_t days) {
  days += 719'468;
  int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  int64_t day_of_era = days - era * 146'097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;
  int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2)), month, day};
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<size_t>(month - 1)];
}

// Reads a text from the left.
struct Cursor {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  bool take(char c) {
    if (done() || *at != c) return false;
    ++at;
    return true;
  }
  // Exactly `count` digits, -1 if they are not there.
  int digits(int count) {
    if (end - at < count) return -1;
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!is_digit(at[i])) return -1;
      value = value * 10 + (at[i] - '0');
    }
    at += count;
    return value;
  }
};

// Nanoseconds of a fraction of a second, -1 when it is empty or finer than a nanosecond.
int64_t read_fraction(Cursor& in) {
  int64_t value = 0;
  int count = 0;
  for (; !in.done() && is_digit(*in.at); ++in.at, ++count) {
    if (count < 9) {
      value = value * 10 + (*in.at - '0');
    } else if (*in.at != '0') {
      return -1;
    }
  }
  if (count == 0) return -1;
  for (; count < 9; ++count) value *= 10;
  return value;
}

// Seconds east of UTC; nullopt when malformed. Nothing written is UTC.
std::optional<int64_t> read_zone(Cursor& in) {
  if (in.done() || in.take('Z') || in.take('z')) return 0;
  bool west = *in.at == '-';
  if (!west && *in.at != '+') return std::nullopt;
  ++in.at;
  int hours = in.digits(2);
  in.take(':');
  int minutes = in.digits(2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  int64_t seconds = hours * 3600 + minutes * 60;
  return west ? -seconds : seconds;
}

std::optional<int64_t> to_ns(int64_t seconds, int64_t fraction_ns) {
  __int128 total = static_cast<__int128>(seconds) * second_ns + fraction_ns;
  if (total > INT64_MAX || total < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(total);
}

struct DurationUnit {
  std::string_view name;
  int64_t ns;
};
// Largest first, so that a text's units must come in this order.
constexpr std::array<DurationUnit, 8> duration_units{{{"w", 7 * day_seconds* second_ns},
                                                      {"d", day_seconds* second_ns},
                                                      {"h", 3600 * second_ns},
                                                      {"m", 60 * second_ns},
                                                      {"s", second_ns},
                                                      {"ms", 1'000'000},
                                                      {"us", 1'000},
                                                      {"ns", 1}}};

bool looks_numeric(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  for (char c : text) {
    if (!is_digit(c) && c != '.') return false;
  }
  return true;
}

char* two_digits(char* to, int value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
  return to + 2;
}

char* fraction_digits(char* to, int64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + count;
}

}  // namespace

std::optional<int64_t> parse_time(std::string_view text) {
  Cursor in{text.data(), text.data() + text.size()};
  int year = in.digits(4);
  if (year < 0 || !in.take('-')) return std::nullopt;
  int month = in.digits(2);
  if (month < 1 || month > 12 || !in.take('-')) return std::nullopt;
  int day = in.digits(2);
  if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
  int64_t seconds = days_from_civil(year, month, day) * day_seconds;
  if (in.done()) return to_ns(seconds, 0);
  if (!in.take('T') && !in.take(' ') && !in.take('t')) return std::nullopt;
  int hour = in.digits(2);
  if (hour < 0 || hour > 23 || !in.take(':')) return std::nullopt;
  int minute = in.digits(2);
  if (minute < 0 || minute > 59) return std::nullopt;
  seconds += hour * 3600 + minute * 60;
  int64_t fraction_ns = 0;
  if (in.take(':')) {
    int second = in.digits(2);
    if (second < 0 || second > 59) return std::nullopt;
    seconds += second;
    if (in.take('.') && (fraction_ns = read_fraction(in)) < 0) return std::nullopt;
  }
  std::optional<int64_t> zone = read_zone(in);
  if (!zone || !in.done()) return std::nullopt;
  return to_ns(seconds - *zone, fraction_ns);
}

std::optional<int64_t> parse_duration(std::string_view text) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  __int128 total = 0;
  size_t next_unit = 0;
  while (!text.empty()) {
    size_t number = 0;
    while (number < text.size() && (is_digit(text[number]) || text[number] == '.')) ++number;
    size_t name = number;
    while (name < text.size() && !is_digit(text[name]) && text[name] != '.') ++name;
    std::string_view unit = text.substr(number, name - number);
    size_t index = next_unit;
    while (index < duration_units.size() && duration_units[index].name != unit) ++index;
    if (number == 0 || index == duration_units.size()) return std::nullopt;
    std::optional<int64_t> part = scaled_number(text.substr(0, number), duration_units[index].ns);
    if (!part) return std::nullopt;
    total += *part;
    next_unit = index + 1;
    text.remove_prefix(name);
  }
  if (negative) total = -total;
  if (total > INT64_MAX || total < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(total);
}

std::optional<int64_t> parse_input_time(std::string_view text, TimeUnit unit) {
  return looks_numeric(text) ? scaled_number(text, static_cast<int64_t>(unit)) : parse_time(text);
}

std::optional<int64_t> parse_input_duration(std::string_view text, TimeUnit unit) {
  return looks_numeric(text) ? scaled_number(text, static_cast<int64_t>(unit)) : parse_duration(text);
}

char* format_time(int64_t time_ns, char* to) {
  int64_t seconds = time_ns / second_ns;
  int64_t fraction_ns = time_ns % second_ns;
  if (fraction_ns < 0) fraction_ns += second_ns, --seconds;
  int64_t days = seconds / day_seconds;
  int rest = static_cast<int>(seconds % day_seconds);
  if (rest < 0) rest += day_seconds, --days;
  Civil date = civil_from_days(days);
  to = two_digits(two_digits(to, date.year / 100), date.year % 100);
  *to++ = '-';
  to = two_digits(to, date.month);
  *to++ = '-';
  to = two_digits(to, date.day);
  *to++ = 'T';
  to = two_digits(to, rest / 3600);
  *to++ = ':';
  to = two_digits(to, rest / 60 % 60);
  *to++ = ':';
  to = two_digits(to, rest % 60);
  if (fraction_ns != 0) {
    *to++ = '.';
    if (fraction_ns % 1'000'000 == 0) {
      to = fraction_digits(to, fraction_ns / 1'000'000, 3);
    } else if (fraction_ns % 1'000 == 0) {
      to = fraction_digits(to, fraction_ns / 1'000, 6);
    } else {
      to = fraction_digits(to, fraction_ns, 9);
    }
  }
  *to++ = 'Z';
  return to;
}

char* format_duration(int64_t duration_ns, char* to) {
  if (duration_ns == 0) {
    memcpy(to, "0s", 2);
    return to + 2;
  }
  uint64_t rest = static_cast<uint64_t>(duration_ns);
  if (duration_ns < 0) {
    *to++ = '-';
    rest = 0 - rest;
  }
  for (size_t i = 1; i < duration_units.size(); ++i) {  // days are the largest that is written
    uint64_t unit_ns = static_cast<uint64_t>(duration_units[i].ns);
    if (rest < unit_ns) continue;
    to = format_uint(rest / unit_ns, to);
    rest %= unit_ns;
    memcpy(to, duration_units[i].name.data(), duration_units[i].name.size());
    to += duration_units[i].name.size();
  }
  return to;
}

}  // namespace mut::text
