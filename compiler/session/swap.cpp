// Edits of a running engine: everything that can fail happens here, before the cut.
#include <algorithm>

#include "compiler/session/engine_state.h"
#include "mutstream/tooling.h"

namespace mut {

Outcome<SwapReport> Engine::swap(const SwapRequest& request) {
  (void)request;
  return Failure{Failure::Kind::Refused, "no edits yet"};
}
Outcome<Done> Engine::set_param(const std::string&, const std::string&, const std::vector<SourceCut>&) {
  return Failure{Failure::Kind::Refused, "no params yet"};
}
PlanResult plan_change(std::string_view, std::string, std::string_view, std::string, const PlanOptions&) {
  return {20, "no edits yet\n"};
}

}  // namespace mut
