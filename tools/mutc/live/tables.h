// Figures of a running program for a terminal.
#pragma once
#include <string>

#include "mutstream/json.h"

namespace mut::tools {

// `before`: the same a moment ago, for rates; null: none are shown.
std::string figures_table(const JsonValue& figures, const JsonValue* before);
std::string streams_table(const JsonValue& figures);
std::string history_table(const JsonValue& reply);

}  // namespace mut::tools
