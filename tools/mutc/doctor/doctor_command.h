// mutc doctor: whether this machine, and what a script reads and writes, is fit for a run.
#pragma once
#include <CLI/CLI.hpp>

#include "tools/mutc/console.h"

namespace mut::tools {

void add_doctor(CLI::App& app, const ConsoleOptions& console, int& exit_code);

}  // namespace mut::tools
