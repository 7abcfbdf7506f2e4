#include "runtime/codec/text/time_pattern.h"

#include <algorithm>
#include <array>

namespace mut::text {
namespace {

constexpr std::string_view letters = "YmdeHIMSfpbBaAjyzTDFRnt%";
constexpr std::array<std::string_view, 12> months = {"january",   "february", "march",    "april",
                                                     "may",       "june",     "july",     "august",
                                                     "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> days = {"monday", "tuesday",  "wednesday", "thursday",
                                                  "friday", "saturday", "sunday"};

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant's algorithm).
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
int64_t days_in(int64_t year, int64_t month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

class Reader {
 public:
  Reader(std::string_view text, int64_t year) : text_(text), year_(year) {}

  std::optional<int64_t> run(std::string_view pattern) {
    if (!follow(pattern) || at_ != text_.size()) return std::nullopt;
    return result();
  }

 private:
  bool follow(std::string_view pattern) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (blank(pattern[i])) {
        skip_blanks();
      } else if (pattern[i] == '%' && i + 1 < pattern.size()) {
        if (!letter(pattern[++i])) return false;
      } else {
        if (at_ >= text_.size() || text_[at_] != pattern[i]) return false;
        ++at_;
      }
    }
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
  }

  // Up to so many digits; a blank may stand before them.
  bool digits(size_t most, int64_t low, int64_t high, int64_t& out) {
    skip_blanks();
    size_t begin = at_;
    out = 0;
    while (at_ < text_.size() && at_ - begin < most && text_[at_] >= '0' && text_[at_] <= '9')
      out = out * 10 + (text_[at_++] - '0');
    return at_ > begin && out >= low && out <= high;
  }

  template <size_t count>
  bool name(const std::array<std::string_view, count>& names, int64_t& out) {
    auto matches = [&](std::string_view word) {
      if (text_.size() - at_ < word.size()) return false;
      return std::equal(word.begin(), word.end(), text_.begin() + static_cast<ptrdiff_t>(at_),
                        [](char a, char b) { return a == lower(b); });
    };
    for (size_t i = 0; i < count; ++i) {
      for (std::string_view word : {names[i], names[i].substr(0, 3)}) {
        if (!matches(word)) continue;
        at_ += word.size();
        out = static_cast<int64_t>(i) + 1;
        return true;
      }
    }
    return false;
  }

  bool fraction() {
    size_t begin = at_;
    int64_t unit = 100'000'000;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      nanoseconds_ += (text_[at_] - '0') * unit;
      unit /= 10;
    }
    return at_ > begin;
  }

  bool zone() {
    skip_blanks();
    if (at_ >= text_.size()) return false;
    char sign = text_[at_++];
    if (sign == 'Z') return true;
    int64_t hours = 0;
    int64_t minutes = 0;
    if ((sign != '+' && sign != '-') || !digits(2, 0, 23, hours)) return false;
    if (at_ < text_.size() && text_[at_] == ':') ++at_;
    if (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && !digits(2, 0, 59, minutes))
      return false;
    offset_seconds_ = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
  }

  bool letter(char c) {
    int64_t ignored = 0;
    switch (c) {
      case 'Y':
        return digits(4, 0, 9999, year_);
      case 'y':
        if (!digits(2, 0, 99, year_)) return false;
        year_ += year_ < 69 ? 2000 : 1900;
        return true;
      case 'm':
        return digits(2, 1, 12, month_);
      case 'd':
      case 'e':
        return digits(2, 1, 31, day_);
      case 'j':
        return digits(3, 1, 366, day_of_year_);
      case 'H':
        return digits(2, 0, 23, hour_);
      case 'I':
        twelve_ = true;
        return digits(2, 1, 12, hour_);
      case 'M':
        return digits(2, 0, 59, minute_);
      case 'S':
        return digits(2, 0, 59, second_);
      case 'f':
        return fraction();
      case 'p': {
        if (text_.size() - at_ < 2 || lower(text_[at_ + 1]) != 'm') return false;
        char half = lower(text_[at_]);
        if (half != 'a' && half != 'p') return false;
        afternoon_ = half == 'p';
        at_ += 2;
        return true;
      }
      case 'b':
      case 'B':
        return name(months, month_);
      case 'a':
      case 'A':
        return name(days, ignored);
      case 'z':
        return zone();
      case 'T':
        return follow("%H:%M:%S");
      case 'R':
        return follow("%H:%M");
      case 'D':
        return follow("%m/%d/%y");
      case 'F':
        return follow("%Y-%m-%d");
      case 'n':
      case 't':
        skip_blanks();
        return true;
      case '%':
        return at_ < text_.size() && text_[at_++] == '%';
      default:
        return false;
    }
  }

  std::optional<int64_t> result() const {
    int64_t hour = hour_;
    if (twelve_) hour = hour % 12 + (afternoon_ ? 12 : 0);
    int64_t date = 0;
    if (day_of_year_ > 0) {
      if (day_of_year_ == 366 && !is_leap(year_)) return std::nullopt;
      date = days_from_civil(year_, 1, 1) + day_of_year_ - 1;
    } else {
      if (day_ > days_in(year_, month_)) return std::nullopt;
      date = days_from_civil(year_, month_, day_);
    }
    int64_t seconds = date * 86400 + hour * 3600 + minute_ * 60 + second_ - offset_seconds_;
    int64_t out = 0;
    if (__builtin_mul_overflow(seconds, int64_t{1'000'000'000}, &out)) return std::nullopt;
    if (__builtin_add_overflow(out, nanoseconds_, &out)) return std::nullopt;
    return out;
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t year_;
  int64_t month_ = 1;
  int64_t day_ = 1;
  int64_t day_of_year_ = 0;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t nanoseconds_ = 0;
  int64_t offset_seconds_ = 0;
  bool twelve_ = false;
  bool afternoon_ = false;
};

}  // namespace

std::string pattern_problem(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (++i == pattern.size()) return "a letter is missing behind the last `%`";
    if (letters.find(pattern[i]) == std::string_view::npos)
      return "`%" + std::string(1, pattern[i]) + "` is not known";
  }
  return "";
}

bool has_year(std::string_view pattern) {
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    ++i;
    if (pattern[i] == 'Y' || pattern[i] == 'y' || pattern[i] == 'D' || pattern[i] == 'F') return true;
  }
  return false;
}

std::optional<int64_t> parse_time_as(std::string_view text, std::string_view pattern, int64_t year) {
  return Reader(text, year).run(pattern);
}

}  // namespace mut::text
