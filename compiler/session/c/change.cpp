// The C interface: edits, undo, reports, history.
#include <optional>

#include "compiler/session/c/handles.h"
#include "mutstream/tooling.h"

using namespace mut;     // NOLINT: the functions of C stand outside of it
using namespace mut::c;  // NOLINT

namespace {

std::optional<std::vector<SourceCut>> read_cuts(const mut_cut* cuts, size_t count) {
  std::vector<SourceCut> out;
  for (size_t i = 0; i < count; ++i) {
    if (cuts == nullptr || cuts[i].source == nullptr) return std::nullopt;
    out.push_back({cuts[i].source, cuts[i].records});
  }
  return out;
}

// "drop:stream/stage/cell".
std::optional<std::vector<Consent>> read_accept(const char* const* accept, size_t count) {
  std::vector<Consent> out;
  for (size_t i = 0; i < count; ++i) {
    if (accept == nullptr || accept[i] == nullptr) return std::nullopt;
    std::string text = accept[i];
    size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
    out.push_back({text.substr(0, colon), text.substr(colon + 1)});
  }
  return out;
}

mut_report* make_report(SwapReport report) {
  auto made = std::make_unique<mut_report>();
  made->report = std::move(report);
  for (const CellVerdict& cell : made->report.cells) {
    std::string list;
    for (const std::string& choice : cell.choices) list += (list.empty() ? "" : " ") + choice;
    made->choices.push_back(std::move(list));
  }
  return made.release();
}

// Of an edit that was planned and not taken, what is known is in the failure.
mut_status give_report(Outcome<SwapReport> outcome, mut_report** report, mut_error* error) {
  if (report != nullptr && outcome) *report = make_report(std::move(outcome).value());
  if (report != nullptr && !outcome && !outcome.failure().cells.empty()) {
    SwapReport untaken;
    untaken.plan = outcome.failure().text;
    untaken.cells = outcome.failure().cells;
    *report = make_report(std::move(untaken));
  }
  return status(error, outcome);
}

using Step = Outcome<SwapReport> (Engine::*)(const UndoRequest&);

mut_status step(mut_engine* engine, const char* const* accept, size_t accept_count, mut_report** report,
                mut_error* error, Step take) {
  return guarded(error, [&]() -> mut_status {
    if (report != nullptr) *report = nullptr;
    if (engine == nullptr) return usage(error, "the engine is NULL");
    auto consents = read_accept(accept, accept_count);
    if (!consents) return usage(error, "`accept` holds VERDICT:CELL");
    UndoRequest request;
    request.accept = std::move(*consents);
    return give_report((engine->engine.get()->*take)(request), report, error);
  });
}

}  // namespace

extern "C" {

mut_status mut_swap(mut_engine* engine, const mut_edit* edit, mut_report** report, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (report != nullptr) *report = nullptr;
    if (engine == nullptr || edit == nullptr) return usage(error, "engine or edit is NULL");
    mut_edit given = MUT_EDIT_INIT;
    if (!read_struct(edit, given)) return usage(error, "mut_edit: `struct_size` is not set");
    if (given.text == nullptr && given.text_bytes > 0) return usage(error, "the text is NULL");
    auto cuts = read_cuts(given.cuts, given.cut_count);
    if (!cuts) return usage(error, "a cut names a source");
    auto consents = read_accept(given.accept, given.accept_count);
    if (!consents) return usage(error, "`accept` holds VERDICT:CELL");
    SwapRequest request;
    if (given.text != nullptr) request.text.assign(given.text, given.text_bytes);
    if (given.name != nullptr) request.name = given.name;
    request.at = std::move(*cuts);
    request.accept = std::move(*consents);
    if (given.guard_error_share < 0 || given.guard_error_share > 1)
      return usage(error, "a guard's share lies between 0 and 1");
    if (given.guard_error_share > 0) {
      request.guard = Guard{given.guard_error_share, Guard{}.records};
      if (given.guard_records != 0) request.guard->records = given.guard_records;
    }
    return give_report(engine->engine->swap(request), report, error);
  });
}

mut_status mut_swap_done(mut_engine* engine, mut_report** report, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (report == nullptr) return usage(error, "no place for the report");
    *report = nullptr;
    if (engine == nullptr) return usage(error, "the engine is NULL");
    if (auto done = engine->engine->swap_done()) *report = make_report(std::move(*done));
    return MUT_OK;
  });
}

mut_status mut_set_param(mut_engine* engine, const char* param, const char* value, const mut_cut* cuts,
                         size_t cut_count, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (engine == nullptr || param == nullptr || value == nullptr)
      return usage(error, "engine, param or value is NULL");
    auto at = read_cuts(cuts, cut_count);
    if (!at) return usage(error, "a cut names a source");
    return status(error, engine->engine->set_param(param, value, *at));
  });
}

mut_status mut_undo(mut_engine* engine, const char* const* accept, size_t accept_count, mut_report** report,
                    mut_error* error) {
  return step(engine, accept, accept_count, report, error, &Engine::undo);
}

mut_status mut_redo(mut_engine* engine, const char* const* accept, size_t accept_count, mut_report** report,
                    mut_error* error) {
  return step(engine, accept, accept_count, report, error, &Engine::redo);
}

void mut_report_get(const mut_report* report, mut_report_info* info) {
  if (info == nullptr) return;
  mut_report_info out{};
  out.plan = out.warnings = out.cause = out.refused = "";
  if (report != nullptr) {
    const SwapReport& known = report->report;
    out.version = known.version;
    out.superseded_by = known.superseded_by;
    out.plan = known.plan.c_str();
    out.warnings = known.warnings.c_str();
    out.check_ns = known.check_ns;
    out.compile_ns = known.compile_ns;
    out.pause_ns = known.pause_ns;
    out.entries_converted = known.entries_converted;
    out.cell_count = known.cells.size();
    out.cut_count = known.cut.size();
    out.cause = known.cause.c_str();
    out.refused = known.refused.c_str();
  }
  write_struct(out, info);
}

void mut_report_cell(const mut_report* report, size_t index, mut_cell* cell) {
  if (cell == nullptr) return;
  mut_cell out{};
  out.cell = out.before = out.verdict = out.reason = out.choices = out.decision = "";
  if (report != nullptr && index < report->report.cells.size()) {
    const CellVerdict& known = report->report.cells[index];
    out.cell = known.cell.c_str();
    out.before = known.before.c_str();
    out.verdict = known.verdict.c_str();
    out.reason = known.reason.c_str();
    out.choices = report->choices[index].c_str();
    out.decision = known.decision.c_str();
    out.undecided = known.undecided ? 1 : 0;
  }
  write_struct(out, cell);
}

mut_cut mut_report_cut(const mut_report* report, size_t index) {
  if (report == nullptr || index >= report->report.cut.size()) return {"", 0};
  const SourceCut& cut = report->report.cut[index];
  return {cut.source.c_str(), cut.records};
}

void mut_report_free(mut_report* report) { delete report; }

mut_status mut_get_history(const mut_engine* engine, mut_history** history, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (history == nullptr) return usage(error, "no place for the history");
    *history = nullptr;
    if (engine == nullptr) return usage(error, "the engine is NULL");
    auto made = std::make_unique<mut_history>();
    made->records = engine->engine->history();
    for (const VersionRecord& record : made->records) made->json.push_back(version_json(record));
    *history = made.release();
    return MUT_OK;
  });
}

size_t mut_history_count(const mut_history* history) {
  return history == nullptr ? 0 : history->records.size();
}

void mut_history_version(const mut_history* history, size_t index, mut_version* version) {
  if (version == nullptr) return;
  mut_version out{};
  out.hash = out.name = out.text = out.plan = out.reason = out.json = "";
  if (history != nullptr && index < history->records.size()) {
    const VersionRecord& known = history->records[index];
    out.version = known.version;
    out.parent = known.parent;
    out.restores = known.restores;
    out.time_ns = known.time_ns;
    out.outcome = static_cast<int32_t>(known.outcome);
    out.hash = known.hash.c_str();
    out.name = known.name.c_str();
    out.text = known.text.c_str();
    out.plan = known.plan.c_str();
    out.reason = known.reason.c_str();
    out.json = history->json[index].c_str();
  }
  write_struct(out, version);
}

void mut_history_free(mut_history* history) { delete history; }

}  // extern "C"
