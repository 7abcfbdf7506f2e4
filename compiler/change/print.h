// The plan of a swap for people and for programs.
#pragma once
#include <string>

#include "compiler/change/compare.h"

namespace mut::change {

// As in live-change.md 2.14: a head line, one line per cell that is not `same`, notes, refusals, and a
// last line that says what is to be done. Ends with a newline.
std::string print_text(const SwapPlan& plan, const std::string& old_name, const std::string& new_name);

// One JSON object, stable: {"schema":1,"outcome":…,"exit":…,"cells":[…],…}. Ends with a newline.
std::string print_json(const SwapPlan& plan, const std::string& old_name, const std::string& new_name);

}  // namespace mut::change
