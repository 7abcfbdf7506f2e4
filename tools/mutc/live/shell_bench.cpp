// What an event costs, and what it would cost.
#include <fmt/format.h>

#include "tools/mutc/live/shell.h"
#include "tools/mutc/live/words.h"

namespace mut::tools {
namespace {

// Sources that wait for rows have given some by then, or there is nothing to measure.
constexpr std::string_view bench_time = "2s";

double per_record(const JsonValue& report, std::string_view time) {
  auto records = static_cast<double>(int_in(report, "records"));
  return records == 0 ? 0 : static_cast<double>(int_in(report, time)) / records;
}

}  // namespace

// A shadow measures both: on the same events, at the same time.
Shell::Then Shell::bench(const std::string& what) {
  JsonValue known = link_.ask("shadow_report");
  if (is_ok(known) && text_in(known, "life") != "ended") {
    wrong("mutc: a shadow runs already; `:shadow` tells what it costs, `:shadow end` ends it");
    return Then::GoOn;
  }
  std::optional<Link::Members> members = Link::Members{{"define", "\"\""}};
  if (!what.empty()) members = script_or_declaration(what);
  if (!members) return Then::GoOn;
  JsonValue begun = link_.ask("shadow", *members);
  if (!fine(begun)) return Then::GoOn;
  wait(std::string(bench_time));
  JsonValue ended = link_.ask("shadow_end");
  if (!fine(ended)) return Then::GoOn;
  int64_t records = int_in(ended, "records");
  if (records == 0) {
    print("no event came in " + std::string(bench_time));
    return Then::GoOn;
  }
  double live = per_record(ended, "live_ns");
  double candidate = per_record(ended, "candidate_ns");
  print(
      fmt::format("{} events in {}; an event costs {:.0f} ns of processor time", records, bench_time, live));
  if (!what.empty())
    print(fmt::format("with the edit {:.0f} ns, {:+.0f} %", candidate,
                      live == 0 ? 0 : (candidate / live - 1) * 100));
  return Then::GoOn;
}

}  // namespace mut::tools
