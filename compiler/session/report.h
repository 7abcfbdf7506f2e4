// What the public classes tell about errors and plans, as data.
#pragma once
#include <string>
#include <vector>

#include "compiler/change/compare.h"
#include "compiler/diagnostics/diagnostics.h"
#include "mutstream/engine.h"

namespace mut::session {

std::vector<std::string> error_codes(const diag::Engine& diags);
std::vector<CellVerdict> verdicts_of(const change::SwapPlan& plan);
std::vector<std::string> refusals_of(const change::SwapPlan& plan);

// Of a version that was not taken at its cut. `why`: "stream/stage: what"; without a colon it is of no state,
// and says all.
std::string refusal_text(diag::Code code, const std::string& why);

}  // namespace mut::session
