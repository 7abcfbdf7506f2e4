// Times and durations as text, both ways. Nanoseconds since the epoch, UTC; signed nanoseconds.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace mut::text {

enum class TimeUnit : int64_t { Nano = 1, Micro = 1'000, Milli = 1'000'000, Second = 1'000'000'000 };

// `2026-11-20[(T| )10:00[:00[.fraction]][Z|±hh[:]mm]]`. Empty for anything else, a leap second, a day
// that does not exist, anything finer than a nanosecond, or out of range (years 1677 to 2262).
std::optional<int64_t> parse_time(std::string_view text);

// Units w d h m s ms us ns, largest first, each at most once, fractions allowed: `1h30m`, `-250ms`, `1.5h`.
std::optional<int64_t> parse_duration(std::string_view text);

// What input files hold: as above, or a number (sign and fraction allowed) in `unit`.
std::optional<int64_t> parse_input_time(std::string_view text, TimeUnit unit);
std::optional<int64_t> parse_input_duration(std::string_view text, TimeUnit unit);

constexpr size_t time_bytes_max = 40;
constexpr size_t duration_bytes_max = 48;

// `2026-11-20T10:00:00Z` with 0, 3, 6 or 9 digits of fraction. Returns the end.
char* format_time(int64_t time_ns, char* to);
// A Mut literal: `1h30m`, `-250ms`, `0s`. Returns the end.
char* format_duration(int64_t duration_ns, char* to);

}  // namespace mut::text
