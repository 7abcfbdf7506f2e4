// Which form of metrics a field `Accept` asks for.
#pragma once
#include <string_view>

#include "compiler/session/http/metrics_text.h"

namespace mut::session {

// OpenMetrics 1.0 where it is named and wanted at least as much as plain text; else that.
MetricsForm form_wanted(std::string_view accept);

}  // namespace mut::session
