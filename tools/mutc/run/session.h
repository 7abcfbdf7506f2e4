#pragma once
#include "tools/mutc/console.h"
#include "tools/mutc/run/run_options.h"

namespace mut::tools {

// Runs to the end or until SIGINT, SIGTERM. Returns the exit code.
int run_script(const RunOptions& options, const ConsoleOptions& console);

}  // namespace mut::tools
