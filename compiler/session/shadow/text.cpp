// A report of a shadow for people.
#include <fmt/format.h>

#include "mutstream/tooling.h"

namespace mut {
namespace {

constexpr std::string_view kind_names[] = {"changed", "missing", "extra"};

std::string cut_text(const std::vector<SourceCut>& cut) {
  std::string out;
  for (const SourceCut& source : cut) out += fmt::format(" {}:{}", source.source, source.records);
  return out;
}

std::string field_text(const FieldDifference& field, uint64_t changed) {
  std::string out = fmt::format("    {} differs in {} of {}", field.field, field.rows, changed);
  if (field.numbers > 0)
    out += fmt::format(": by {:+g} on average, by {:+g} at most",
                       field.sum / static_cast<double>(field.numbers), field.most);
  return out + "\n";
}

std::string sample_text(const RowDifference& row) {
  std::string out =
      fmt::format("    {} {}:{}", kind_names[static_cast<size_t>(row.kind)], row.source, row.record);
  if (!row.live.empty()) out += "  " + row.live;
  if (row.kind == RowDifference::Kind::Changed) out += "  →";
  if (!row.candidate.empty()) out += "  " + row.candidate;
  return out + "\n";
}

}  // namespace

std::string shadow_text(const ShadowReport& report) {
  std::string out = "shadow of " + report.name;
  switch (report.life) {
    case ShadowReport::Life::Waits:
      return out + " waits for its cut\n";
    case ShadowReport::Life::Runs:
      out += " runs";
      break;
    case ShadowReport::Life::Ended:
      out += " has ended: " + report.ended;
      break;
  }
  out +=
      fmt::format("\n  from{} on, {} records, {} entries of state copied in {:.2f} ms, {} bytes of state\n",
                  report.from.empty() ? " the begin" : cut_text(report.from), report.records, report.entries,
                  static_cast<double>(report.pause_ns) / 1e6, report.state_bytes);
  if (report.records > 0) {
    auto records = static_cast<double>(report.records);
    out += fmt::format("  an event costs {:.0f} ns live, {:.0f} ns in the shadow\n",
                       static_cast<double>(report.live_ns) / records,
                       static_cast<double>(report.candidate_ns) / records);
  }
  for (const SinkComparison& sink : report.sinks) {
    out += fmt::format("  sink {}: equal {}, changed {}, missing {}, extra {}\n", sink.sink, sink.equal,
                       sink.changed, sink.missing, sink.extra);
    for (const FieldDifference& field : sink.fields) out += field_text(field, sink.changed);
    for (const RowDifference& row : sink.samples) out += sample_text(row);
  }
  if (report.live_errors != 0 || report.candidate_errors != 0)
    out += fmt::format("  event errors: {} live, {} of the candidate\n", report.live_errors,
                       report.candidate_errors);
  for (const std::string& what : report.unexpected) out += "  not expected: " + what + "\n";
  return out;
}

}  // namespace mut
