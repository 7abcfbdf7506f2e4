#pragma once
#include <CLI/CLI.hpp>

#include "tools/mutc/console.h"

namespace mut::tools {

void add_profile(CLI::App& app, const ConsoleOptions& console, int& exit_code);

}  // namespace mut::tools
