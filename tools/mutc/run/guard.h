// `--guard "errors<1%"`.
#pragma once
#include <optional>
#include <string>

#include "mutstream/engine.h"

namespace mut::tools {

// Empty after a message on stderr.
std::optional<Guard> parse_guard(const std::string& text);

}  // namespace mut::tools
