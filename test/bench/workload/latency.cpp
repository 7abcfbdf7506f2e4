// W10: how long a result takes after the event that brings it about was due.
#include <cstdio>
#include <limits>

#include "test/bench/workload/engine_figures.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/figure_list.h"
#include "test/bench/workload/open_loop.h"

namespace mut::bench {
namespace {

int64_t int_of(const RowView& row, size_t field) { return std::get<int64_t>(row.field(field)); }

constexpr const char* source =
    "type Event = { key: int, kind: int, at: time }\nsource events: Event = stdin() time at\n";

// A third of the events pass; each row tells when its event was due.
LatencyProgram project() {
  return {std::string(source) +
              "stream out = events | where kind == 0 | select key = key * 10 + 1, at\nemit out to stdout()\n",
          [](const RowView& row) { return int_of(row, 1) - latency_base_ns; },
          [](const RowView& row) { return int_of(row, 0); },
          [](int64_t key, int64_t kind) { return kind == 0 ? key * 10 + 1 : 0; }};
}

// Views of a hundred campaigns in windows of 10 ms: a hundred times a second. A window's rows come with the
// first event at its end or later, whose arrival counts.
LatencyProgram views() {
  return {std::string(source) +
              "stream out = events | where kind == 0 | select campaign = key / 10\n"
              "  | aggregate n = count() by campaign window tumbling 10ms\nemit out to stdout()\n",
          [](const RowView& row) { return int_of(row, 3) - latency_base_ns; },
          [](const RowView& row) { return int_of(row, 1); },
          [](int64_t, int64_t kind) -> int64_t { return kind == 0 ? 1 : 0; }};
}

struct Load {
  const char* name;
  double rate;
};

}  // namespace

int print_latency(const Options& options) {
  FigureList figures("w10");
  std::string check = "ok";
  auto measure = [&](const std::string& name, const LatencyProgram& program, double rate) {
    LatencyRun run = run_open_loop(program, rate, options.seconds);
    std::fprintf(
        stderr,
        "w10: %s took %.0f events/s of %.0f; the engine's threads used %.1f %% of a core, the host's "
        "%.1f %%\n",
        name.c_str(), run.events_per_s, rate, run.engine_cpu_share * 100, run.host_cpu_share * 100);
    if (!run.right) check = name + ": the rows are not those of the events";
    return run;
  };
  for (const auto& [program_name, program] : {std::pair{"project", project()}, {"views", views()}}) {
    const std::string prefix = program_name;
    const LatencyRun fastest = measure(prefix + "_max", program, 0);
    figures.add(prefix + "_max_million_per_s", fastest.events_per_s * 1e-6);
    const double most = fastest.events_per_s;
    for (const Load& load :
         {Load{"1k", 1e3}, {"100k", 1e5}, {"1M", 1e6}, {"50", most * 0.5}, {"80", most * 0.8}}) {
      const std::string name = prefix + "_at_" + load.name;
      const LatencyRun run = measure(name, program, load.rate);
      if (load.rate == 1e3) figures.add(name + "_cpu_percent", run.engine_cpu_share * 100);
      if (!run.kept_up) {
        std::fprintf(stderr, "w10: %s: events waited in a queue that grew; no latency\n", name.c_str());
        continue;
      }
      std::vector<double> us(run.latency_ns.begin(), run.latency_ns.end());
      for (double& value : us) value *= 1e-3;
      for (const auto& [of, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}})
        figures.add(name + "_us_" + of, quantile(us, share));
    }
  }
  return figures.end(check);
}

}  // namespace mut::bench
