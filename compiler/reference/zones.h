// Windows that follow the days of a time zone (rule 8.11), looked up day by day.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "compiler/typed/program.h"

namespace mut::reference {

// End and start of each window that holds `time`.
std::set<std::pair<int64_t, int64_t>> zone_windows(const typed::Window& window, int64_t time);
// The greatest time at or before `time` at which a window begins.
int64_t zone_boundary(const typed::Window& window, int64_t time);
// The next one after a boundary.
int64_t next_zone_boundary(const typed::Window& window, int64_t boundary);
// Numbers pieces of `length` within the days: whole days together, or parts of one from its begin on.
int64_t zone_piece(const typed::Window& window, int64_t length, int64_t time);

// What clocks of a zone show at a time, and the first time at which they show that or, where they leave it
// out, go on.
int64_t local_in_zone(const std::string& zone, int64_t time);
int64_t time_in_zone(const std::string& zone, int64_t local);

}  // namespace mut::reference
