// Shadows, over the control socket.
#include <utility>

#include "compiler/session/control/operations.h"
#include "compiler/session/control/replies.h"
#include "mutstream/tooling.h"

namespace mut::session {
namespace {

Failure wrong(std::string text) { return {Failure::Kind::Usage, std::move(text)}; }

Outcome<std::string> told(Outcome<ShadowReport> report) {
  if (!report) return report.failure();
  return "," + shadow_json(report.value()) + ",\"report\":" + json_quoted(shadow_text(report.value()));
}

}  // namespace

ControlOperations::Reply ControlOperations::shadow(const JsonValue& request) {
  auto edit = read_edit(request);
  if (!edit) return edit.failure();
  ShadowRequest asked{edit.value().text, edit.value().name, edit.value().at, edit.value().accept};
  if (const JsonValue* expected = request.find("expect")) {
    std::string problem;
    asked.expect = Expectation::parse(expected->as_text().value_or(""), problem);
    if (!asked.expect) return wrong("`expect`: " + problem);
  }
  return told(engine_.shadow(asked));
}

ControlOperations::Reply ControlOperations::shadow_report() const { return told(engine_.shadow_report()); }

ControlOperations::Reply ControlOperations::end_shadow() { return told(engine_.end_shadow()); }

ControlOperations::Reply ControlOperations::promote(const JsonValue& request) {
  PromoteRequest asked;
  const JsonValue* state = request.find("state");
  std::string which = state == nullptr ? "migrate" : state->as_text().value_or("");
  if (which == "adopt") asked.state = PromoteRequest::State::Adopt;
  if (which != "adopt" && which != "migrate") return wrong("`state` is \"migrate\" or \"adopt\"");
  auto accept = read_consents(request);
  auto at = read_cuts(request);
  if (!accept) return accept.failure();
  if (!at) return at.failure();
  asked.accept = accept.value();
  asked.at = at.value();
  return settle(request, [&](Settled settled) {
    asked.settled = std::move(settled);
    return engine_.promote(asked);
  });
}

}  // namespace mut::session
