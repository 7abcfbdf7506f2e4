#pragma once
#include <string>

#include "mutstream/engine.h"

namespace mut::tools {

// `--stats=FILE`: JSON with a `schema` number. False: it could not be written.
bool write_stats(const std::string& path, const EngineStats& stats, double seconds);

}  // namespace mut::tools
