#include "compiler/session/report.h"

#include <fmt/format.h>

namespace mut::session {

std::vector<std::string> error_codes(const diag::Engine& diags) {
  std::vector<std::string> out;
  for (const diag::Diagnostic& diagnostic : diags.sorted()) {
    if (diagnostic.severity == diag::Severity::Error) out.push_back(diag::code_text(diagnostic.code));
  }
  return out;
}

std::vector<CellVerdict> verdicts_of(const change::SwapPlan& plan) {
  std::vector<CellVerdict> out;
  for (const change::CellPlan& cell : plan.cells) {
    out.push_back({cell.path, cell.old_path, std::string(change::verdict_name(cell.verdict)), cell.reason,
                   cell.choices, cell.decision, cell.needs_consent});
  }
  return out;
}

std::vector<std::string> refusals_of(const change::SwapPlan& plan) {
  std::vector<std::string> out;
  for (diag::Code code : plan.refusal_codes) out.push_back(diag::code_text(code));
  return out;
}

std::string refusal_text(diag::Code code, const std::string& why) {
  std::string_view text = diag::info(code).message;
  size_t colon = why.find(": ");
  if (colon == std::string::npos) return why;
  return "error[" + diag::code_text(code) +
         "]: " + fmt::format(fmt::runtime(text), why.substr(0, colon), why.substr(colon + 2));
}

}  // namespace mut::session
