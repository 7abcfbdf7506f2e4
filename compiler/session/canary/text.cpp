// A report of a canary for people.
#include <fmt/format.h>

#include "mutstream/tooling.h"

namespace mut {
namespace {

std::string cut_text(const std::vector<SourceCut>& cut) {
  std::string out;
  for (const SourceCut& source : cut) out += fmt::format(" {}:{}", source.source, source.records);
  return out.empty() ? " the begin" : out;
}

}  // namespace

std::string canary_text(const CanaryReport& report) {
  std::string out = fmt::format("canary v{} of {}, {}, ", report.version, report.name, report.part);
  switch (report.life) {
    case CanaryReport::Life::Waits:
      return out + "waits for its cut\n";
    case CanaryReport::Life::Runs:
      out += "runs";
      break;
    case CanaryReport::Life::Completed:
      out += "is completed: all keys are its own";
      break;
    case CanaryReport::Life::Ended:
      out += "has ended: " + report.ended;
      break;
  }
  if (report.from.empty()) return out + "\n";
  out +=
      fmt::format("\n  from{} on{}, {} records, {} of its keys, {} entries of state went over in {:.2f} ms\n",
                  cut_text(report.from), report.to.empty() ? "" : " to" + cut_text(report.to), report.records,
                  report.records_inside, report.entries, static_cast<double>(report.pause_ns) / 1e6);
  out += fmt::format("  rows: {} of it, {} of the others\n", report.rows, report.live_rows);
  if (report.errors != 0 || report.live_errors != 0)
    out += fmt::format("  event errors: {} of it, {} of the others\n", report.errors, report.live_errors);
  return out;
}

}  // namespace mut
