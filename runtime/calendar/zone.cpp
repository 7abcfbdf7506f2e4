#include "runtime/calendar/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace mut::calendar {
namespace {

using std::chrono::nanoseconds;

// No zone is further from UTC than that, nor is any time to be that near to the end of int64.
constexpr int64_t margin = int64_t{3} * 24 * 3600 * 1'000'000'000;
constexpr int64_t least = std::numeric_limits<int64_t>::min() + margin;
constexpr int64_t greatest = std::numeric_limits<int64_t>::max() - margin;

}  // namespace

struct Zone::Rules {
  const date::time_zone* zone;
};

std::shared_ptr<const Zone> Zone::find(std::string_view name) {
  try {
    auto out = std::make_shared<Zone>();
    out->rules_ = std::make_shared<Rules>(Rules{date::locate_zone(std::string(name))});
    return out;
  } catch (const std::exception&) {
    return nullptr;  // an unknown name, or a system without the database
  }
}

std::vector<std::string> Zone::names() {
  std::vector<std::string> out;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) out.push_back(zone.name());
  } catch (const std::exception&) {
    out.clear();
  }
  return out;
}

int64_t Zone::to_local(int64_t time) const {
  date::sys_time<nanoseconds> at{nanoseconds(std::clamp(time, least, greatest))};
  return rules_->zone->to_local(at).time_since_epoch().count();
}

int64_t Zone::from_local(int64_t local) const {
  date::local_time<nanoseconds> at{nanoseconds(std::clamp(local, least, greatest))};
  return rules_->zone->to_sys(at, date::choose::earliest).time_since_epoch().count();
}

}  // namespace mut::calendar
