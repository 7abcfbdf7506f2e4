// Canaries, over the control socket.
#include <utility>

#include "compiler/session/control/operations.h"
#include "compiler/session/control/replies.h"
#include "mutstream/tooling.h"

namespace mut::session {
namespace {

Outcome<std::string> told(Outcome<CanaryReport> report) {
  if (!report) return report.failure();
  return "," + canary_json(report.value()) + ",\"report\":" + json_quoted(canary_text(report.value()));
}

}  // namespace

ControlOperations::Reply ControlOperations::canary(const JsonValue& request) {
  auto edit = read_edit(request);
  if (!edit) return edit.failure();
  const JsonValue* part = request.find("part");
  std::string problem = "write `5% by card`";
  auto parsed = part == nullptr ? std::nullopt : CanaryPart::parse(part->as_text().value_or(""), problem);
  if (!parsed) return Failure{Failure::Kind::Usage, "`part`: " + problem};
  return told(engine_.canary(
      {edit.value().text, edit.value().name, std::move(*parsed), edit.value().at, edit.value().accept}));
}

ControlOperations::Reply ControlOperations::canary_report() const { return told(engine_.canary_report()); }

ControlOperations::Reply ControlOperations::close_canary(
    const JsonValue& request, Outcome<SwapReport> (Engine::*how)(const CanaryClose&)) {
  auto at = read_cuts(request);
  if (!at) return at.failure();
  return settle(request, [&](Settled settled) { return (engine_.*how)({at.value(), std::move(settled)}); });
}

}  // namespace mut::session
