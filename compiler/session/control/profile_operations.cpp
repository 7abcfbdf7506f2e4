// Profiles, over the control socket.
#include "compiler/session/control/operations.h"
#include "mutstream/json.h"
#include "mutstream/profile.h"

namespace mut::session {
namespace {

Outcome<std::string> told(Outcome<ProfileReport> report) {
  if (!report) return report.failure();
  return ",\"profile\":" + profile_json(report.value()) +
         ",\"text\":" + json_quoted(profile_text(report.value()));
}

}  // namespace

ControlOperations::Reply ControlOperations::begin_profile() {
  auto begun = engine_.begin_profile();
  if (!begun) return begun.failure();
  profile_ = begun.value();
  return std::string();
}

ControlOperations::Reply ControlOperations::profile_report() const { return told(engine_.profile()); }

ControlOperations::Reply ControlOperations::end_profile() { return told(engine_.end_profile()); }

}  // namespace mut::session
