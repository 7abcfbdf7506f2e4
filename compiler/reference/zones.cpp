#include "compiler/reference/zones.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace mut::reference {
namespace {

using std::chrono::nanoseconds;

constexpr int64_t day = int64_t{86400} * 1'000'000'000;

int64_t below(int64_t value, int64_t step) { return ((value % step) + step) % step; }

bool has_days(const typed::Window& window) { return window.size % day == 0; }

// When local day number `number` begins.
int64_t begin_of(const typed::Window& window, int64_t number) {
  // Beyond what a time can be, and nearer to that than any zone is from UTC, is its end.
  __int128 begin = __int128{number} * day + below(window.offset, day);
  constexpr int64_t room = day / 24 * 15;
  if (begin > std::numeric_limits<int64_t>::max() - room) return std::numeric_limits<int64_t>::max();
  if (begin < std::numeric_limits<int64_t>::min() + room) return std::numeric_limits<int64_t>::min();
  nanoseconds local(static_cast<int64_t>(begin));
  auto zoned = date::make_zoned(window.zone, date::local_time<nanoseconds>(local), date::choose::earliest);
  return zoned.get_sys_time().time_since_epoch().count();
}

// The number of the local day that holds `time`: the last that has begun.
int64_t day_of(const typed::Window& window, int64_t time) {
  auto zoned = date::make_zoned(window.zone, date::sys_time<nanoseconds>(nanoseconds(time)));
  int64_t number = zoned.get_local_time().time_since_epoch().count() / day + 2;
  while (begin_of(window, number) > time) --number;
  return number;
}

// The last day at or before `number` at which a window begins.
int64_t first_day(const typed::Window& window, int64_t number) {
  int64_t offset_days = (window.offset - below(window.offset, day)) / day;
  return number - below(number - offset_days, window.every / day);
}

}  // namespace

int64_t zone_boundary(const typed::Window& window, int64_t time) {
  int64_t number = day_of(window, time);
  if (has_days(window)) return begin_of(window, first_day(window, number));
  int64_t begin = begin_of(window, number);
  return begin + (time - begin) / window.size * window.size;
}

int64_t next_zone_boundary(const typed::Window& window, int64_t boundary) {
  int64_t number = day_of(window, boundary);
  if (has_days(window)) return begin_of(window, first_day(window, number) + window.every / day);
  return std::min(boundary + window.size, begin_of(window, number + 1));
}

std::set<std::pair<int64_t, int64_t>> zone_windows(const typed::Window& window, int64_t time) {
  if (!has_days(window)) {
    int64_t start = zone_boundary(window, time);
    return {{next_zone_boundary(window, start), start}};
  }
  std::set<std::pair<int64_t, int64_t>> out;
  int64_t number = day_of(window, time);
  for (int64_t first = first_day(window, number); first > number - window.size / day;
       first -= window.every / day)
    out.insert({begin_of(window, first + window.size / day), begin_of(window, first)});
  return out;
}

int64_t zone_piece(const typed::Window& window, int64_t length, int64_t time) {
  int64_t number = day_of(window, time);
  if (length % day == 0) {
    int64_t days = length / day;
    int64_t from_offset = number - (window.offset - below(window.offset, day)) / day;
    return (from_offset - below(from_offset, days)) / days;
  }
  return number * (2 * day / length) + (time - begin_of(window, number)) / length;
}

int64_t local_in_zone(const std::string& zone, int64_t time) {
  auto zoned = date::make_zoned(zone, date::sys_time<nanoseconds>(nanoseconds(time)));
  return zoned.get_local_time().time_since_epoch().count();
}

int64_t time_in_zone(const std::string& zone, int64_t local) {
  auto zoned =
      date::make_zoned(zone, date::local_time<nanoseconds>(nanoseconds(local)), date::choose::earliest);
  return zoned.get_sys_time().time_since_epoch().count();
}

}  // namespace mut::reference
