#include "runtime/calendar/zone_line.h"

#include <algorithm>
#include <limits>

#include "runtime/calendar/zone.h"

namespace mut::calendar {
namespace {

constexpr int64_t least = std::numeric_limits<int64_t>::min();
constexpr int64_t greatest = std::numeric_limits<int64_t>::max();

int64_t plus(int64_t a, int64_t b) {
  int64_t out;
  return __builtin_add_overflow(a, b, &out) ? (b < 0 ? least : greatest) : out;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

struct ZoneLine::Days {
  std::shared_ptr<const Zone> zone;
  int64_t begins_after = 0;
  // The day met last.
  int64_t number = 0;
  int64_t begin = 0;
  int64_t end = 0;

  // The first instant of a local day, numbered from 1970-01-01.
  int64_t begin_of(int64_t day) const {
    int64_t local = 0;
    if (__builtin_mul_overflow(day, day_ns, &local)) return day < 0 ? least : greatest;
    local = plus(local, begins_after);
    return zone ? zone->from_local(local) : local;
  }
  void go_to(int64_t day) {
    number = day;
    begin = begin_of(day);
    end = begin_of(day + 1);
  }
  void go_to_time(int64_t time) {
    if (time >= begin && time < end) return;
    int64_t local = zone ? zone->to_local(time) : time;
    go_to(floor_div(local - begins_after, day_ns));
    // A clock that is set back over the begin of a day is in the day that has begun.
    while (time >= end) go_to(number + 1);
    while (time < begin) go_to(number - 1);
  }
};

ZoneLine::ZoneLine() = default;
ZoneLine::ZoneLine(ZoneLine&&) noexcept = default;
ZoneLine& ZoneLine::operator=(ZoneLine&&) noexcept = default;
ZoneLine::~ZoneLine() = default;

ZoneLine::ZoneLine(const std::string& zone, int64_t day_begins) {
  if (zone.empty()) return;
  days_ = std::make_unique<Days>();
  days_->zone = Zone::find(zone);
  days_->begins_after = day_begins;
}

int64_t ZoneLine::at(int64_t time) const {
  if (!days_ || time == least || time == greatest) return time;
  // The first and the last days of what a time can be have no neighbours: they are one with those beside
  // them.
  days_->go_to_time(std::clamp(time, least + 8 * day_ns, greatest - 8 * day_ns));
  int64_t inside = std::clamp(plus(time, -days_->begin) / 2, int64_t{0}, day_ns - 1);
  return days_->number * day_ns + inside;
}

int64_t ZoneLine::time(int64_t at) const {
  if (!days_ || at == least || at == greatest) return at;
  int64_t day = floor_div(at, day_ns);
  if (day != days_->number || days_->begin == days_->end) days_->go_to(day);
  return std::min(plus(days_->begin, (at - day * day_ns) * 2), days_->end);
}

int64_t ZoneLine::length(int64_t duration) const {
  return !days_ || duration % day_ns == 0 ? duration : duration / 2;
}

}  // namespace mut::calendar
