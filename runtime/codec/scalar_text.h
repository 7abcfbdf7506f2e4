// A text as a value of a scalar type: what a cell of CSV holds, and what a key of a map is in JSON.
#pragma once
#include <string_view>

#include "runtime/codec/json/plan.h"
#include "runtime/codec/text/time.h"

namespace mut::codec {

// Writes the value to `to`, laid out as the node's T: numbers, bool, decimals, times, durations, enums.
// Returns an empty text, or what was expected instead.
std::string_view read_scalar(const json::Node& node, std::string_view text, text::TimeUnit unit, char* to);

}  // namespace mut::codec
