// Figures of a running program for a terminal.
#pragma once
#include <string>

#include "mutstream/json.h"
#include "tools/mutc/live/rates.h"

namespace mut::tools {

// `before`: the same a moment ago, for rates; null: none are shown. `rates`: how they were lately; may be
// null.
std::string figures_table(const JsonValue& figures, const JsonValue* before, const Rates* rates = nullptr);
std::string streams_table(const JsonValue& figures);
std::string history_table(const JsonValue& reply);

}  // namespace mut::tools
