// Time zones of the tz database of the system, read by Howard Hinnant's date library: the only part of the
// engine that sees it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mut::calendar {

// Times are nanoseconds since 1970, UTC; local ones the same of what clocks there show. What would leave
// int64 stays at its end. Threads: any.
class Zone {
 public:
  // Null: the system knows no zone by that name.
  static std::shared_ptr<const Zone> find(std::string_view name);
  static std::vector<std::string> names();

  int64_t to_local(int64_t time) const;
  // The first time at which clocks show `local`; where they leave it out, the time at which they do.
  int64_t from_local(int64_t local) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace mut::calendar
