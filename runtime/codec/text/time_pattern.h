// Times in texts of a known form: `parse_time(s, "%d/%b/%Y:%H:%M:%S")`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mut::text {

// Letters: Y m d e H I M S f p b B a A j y z T D F R n t %. `%f` is a fraction of a second of any length;
// names of months and days are English; blanks in a pattern stand for any number of blanks.

// What is wrong with a pattern; empty: nothing.
std::string pattern_problem(std::string_view pattern);
bool has_year(std::string_view pattern);

// Nanoseconds since 1970 in UTC. `year`: where the pattern has none. Empty when the text is not of that form,
// all of it, or is no time.
std::optional<int64_t> parse_time_as(std::string_view text, std::string_view pattern, int64_t year);

}  // namespace mut::text
