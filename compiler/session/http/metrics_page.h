// What an engine knows of itself, as metrics: docs/metrics.md tells their names.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "compiler/session/http/metrics_text.h"
#include "mutstream/inspect.h"

namespace mut::session {

// Longer than that no batch takes, so whatever runs then has stopped: nanoseconds.
constexpr int64_t stuck_ns = 10'000'000'000;

// Why rows do not run, or not as they should, in words; empty: they do.
std::string why_not_live(const Health& health);
std::string why_not_ready(const Health& health);

struct MetricsPage {
  Health health;
  std::optional<EngineFigures> figures;  // none: rows could not be asked
  int64_t started_ns = 0;                // since 1970, UTC
};

std::string metrics_text(const MetricsPage& page, MetricsForm form);

}  // namespace mut::session
