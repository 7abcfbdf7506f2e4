#include "compiler/diagnostics/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace mut::diag {

const std::vector<CodeInfo>& all_codes() {
  static const std::vector<CodeInfo> codes = {
#define MUT_DIAGNOSTIC(number, name, severity, message) {Code::name, #name, Severity::severity, message},
#include "compiler/diagnostics/codes.def"
#undef MUT_DIAGNOSTIC
  };
  return codes;
}

const CodeInfo& info(Code code) {
  for (const CodeInfo& entry : all_codes()) {
    if (entry.code == code) return entry;
  }
  // Only a number cast to Code by hand can come here; the last entry is our own bug's code.
  return all_codes().back();
}

std::string code_text(Code code) { return fmt::format("MUT{:04}", static_cast<unsigned>(code)); }

std::string Diagnostic::message() const {
  std::string_view form = info(code).message;
  std::string out;
  for (size_t i = 0; i < form.size(); ++i) {
    bool placeholder = form[i] == '{' && i + 2 < form.size() && form[i + 2] == '}' && form[i + 1] >= '0' &&
                       form[i + 1] <= '9';
    if (!placeholder) {
      out += form[i];
      continue;
    }
    auto index = static_cast<size_t>(form[i + 1] - '0');
    if (index < arguments.size()) out += arguments[index];
    i += 2;
  }
  return out;
}

Report& Report::mark(source::Span span) {
  if (Diagnostic* diagnostic = target()) diagnostic->marks.push_back(span);
  return *this;
}

Report& Report::note(source::Span span, std::string text) {
  if (Diagnostic* diagnostic = target()) diagnostic->notes.push_back({span, std::move(text)});
  return *this;
}

Report& Report::note(std::string text) {
  if (Diagnostic* diagnostic = target()) diagnostic->notes.push_back({std::nullopt, std::move(text)});
  return *this;
}

Report& Report::fix(source::Span span, std::string replacement) {
  if (Diagnostic* diagnostic = target()) diagnostic->fixes.push_back({span, std::move(replacement)});
  return *this;
}

Diagnostic* Report::target() {
  return index_ < engine_.diagnostics_.size() ? &engine_.diagnostics_[index_] : nullptr;
}

Report Engine::add(Code code, source::Span span, std::vector<std::string> arguments) {
  Severity severity = info(code).severity;
  if (severity == Severity::Error && ++error_count_ > error_count_max) {
    return {*this, static_cast<size_t>(-1)};  // counted, not kept
  }
  // A body that is looked into once for each use warns once.
  if (severity == Severity::Warning && !within_.empty()) {
    for (const Diagnostic& known : diagnostics_) {
      if (known.code == code && known.span == span && known.arguments == arguments)
        return {*this, static_cast<size_t>(-1)};
    }
  }
  Diagnostic& diagnostic = diagnostics_.emplace_back();
  diagnostic.code = code;
  diagnostic.severity = severity;
  diagnostic.span = span;
  diagnostic.arguments = std::move(arguments);
  diagnostic.within.assign(within_.rbegin(), within_.rend());
  return {*this, diagnostics_.size() - 1};
}

void Engine::add(const Diagnostic& diagnostic) {
  if (diagnostic.severity == Severity::Error && ++error_count_ > error_count_max) return;
  diagnostics_.push_back(diagnostic);
}

std::vector<Diagnostic> Engine::sorted() const {
  // Places with their index last: reports of one place stay in the order they came.
  std::vector<std::tuple<uint32_t, uint32_t, size_t>> order;
  for (const Diagnostic& diagnostic : diagnostics_) {
    order.emplace_back(diagnostic.span.file.index, diagnostic.span.begin, order.size());
  }
  std::sort(order.begin(), order.end());
  std::vector<Diagnostic> out;
  for (const auto& entry : order) {
    Diagnostic& told = out.emplace_back(diagnostics_[std::get<2>(entry)]);
    told.notes.insert(told.notes.end(), told.within.begin(), told.within.end());
    told.within.clear();
  }
  return out;
}

}  // namespace mut::diag
