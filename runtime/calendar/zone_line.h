// Local days of a time zone as a line of numbers, so that windows that begin and end with them are found by
// the arithmetic that all others have. On the line each day is equally long (24 h of it), whatever it is in
// truth.
//
// Of days of 23, 24 and 25 hours the line shows time at half its speed: 12 h of a day's 24 are filled, the
// rest is room for what a long day has more, and nothing happens in it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace mut::calendar {

constexpr int64_t day_ns = int64_t{24} * 3600 * 1'000'000'000;

// Threads: of one at a time, const methods too, for they remember the day they met last.
class ZoneLine {
 public:
  // Time itself: the empty zone.
  ZoneLine();
  // `day_begins`: nanoseconds of local time after midnight, below a day. A day begins at the first instant
  // that has this local time or a later one. The name is known, else it is UTC.
  ZoneLine(const std::string& zone, int64_t day_begins);
  ZoneLine(ZoneLine&&) noexcept;
  ZoneLine& operator=(ZoneLine&&) noexcept;
  ~ZoneLine();

  // Where a time (UTC, nanoseconds since 1970) is on the line. Never falls; the ends of int64 stay what they
  // are.
  int64_t at(int64_t time) const;
  // The first time that is there; for the room behind a day the begin of the next.
  int64_t time(int64_t at) const;
  // How long a window is on the line: whole days are, shorter ones (of whole seconds) take half of theirs.
  int64_t length(int64_t duration) const;

 private:
  struct Days;
  std::unique_ptr<Days> days_;  // null: time itself
};

}  // namespace mut::calendar
