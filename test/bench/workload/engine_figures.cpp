#include "test/bench/workload/engine_figures.h"

#include <cstdio>

#include "mutstream/tooling.h"
#include "test/bench/input/splitmix.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/figure_list.h"

namespace mut::bench {
namespace {

// performance.md W8: operator i is a filter where i mod 4 = 3, else a map; then a 10 s count and sum per key.
std::string chain_script(int operators) {
  std::string out =
      "type Row = { key: int, x: float, at: time }\nsource rows: Row = stdin() time at\nstream out = rows\n";
  SplitMix64 draws(42);
  auto unit = [&] { return static_cast<double>(draws.next() >> 11) * 0x1.0p-53; };
  for (int i = 0; i < operators; ++i) {
    char line[96];
    if (i % 4 == 3) {
      std::snprintf(line, sizeof line, "  | where x > %.6f\n", unit() * 0.1);
    } else {
      std::snprintf(line, sizeof line, "  | with x = %.6f * x + %.6f\n", 0.9 + unit() * 0.2, unit() * 0.1);
    }
    out += line;
  }
  return out + "  | aggregate n = count(), total = sum(x) by key window tumbling 10s\nemit out to stdout()\n";
}

struct OneEvent {
  int64_t key = 1;
  double x = 0.5;
  int64_t at = 1'700'000'000'000'000'000;
};

EngineRun::Setup chain_setup(int operators, const OneEvent& event, TierChoice tier) {
  EngineRun::Setup setup;
  setup.script = chain_script(operators);
  setup.source = "rows";
  setup.sink = "out";
  setup.columns = {{&event.key, &event.x, &event.at}, {event.at}, 1, 1, 0};
  setup.tier = tier;
  return setup;
}

double first_event_ms(int operators, TierChoice tier) {
  OneEvent event;
  const double begin = now_ms();
  EngineRun run(chain_setup(operators, event, tier));
  run.run_records(1);
  return now_ms() - begin;
}

double check_ms(int operators) {
  const std::string script = chain_script(operators);
  const double begin = now_ms();
  const CheckResult result = check_script(script, "chain.mut", {});
  return result.fine ? now_ms() - begin : -1;
}

template <typename Measure>
double median_of(int rounds, Measure measure) {
  std::vector<double> values;
  for (int i = 0; i < rounds; ++i) values.push_back(measure());
  return quantile(values, 0.5);
}

}  // namespace

int run_one_event() {
  OneEvent event;
  EngineRun run(chain_setup(10, event, TierChoice::Quick));
  run.run_records(1);
  return 0;
}

int print_compile_latency(const char* program) {
  first_event_ms(10, TierChoice::Optimised);  // the parser's tables and LLVM's own are made at first use
  FigureList figures("w8");
  for (const int operators : {1, 10, 50, 200}) {
    const std::string count = std::to_string(operators);
    const int rounds = operators == 200 ? 5 : 15;
    figures.add("check_ms_" + count, median_of(rounds, [&] { return check_ms(operators); }));
    figures.add("first_event_warm_ms_" + count,
                median_of(rounds, [&] { return first_event_ms(operators, TierChoice::Quick); }));
    figures.add("optimised_ms_" + count,
                median_of(rounds, [&] { return first_event_ms(operators, TierChoice::Optimised); }));
  }
  figures.add("first_event_cold_ms_10", median_of(9, [&] { return cold_ms(program); }));
  return figures.end("ok");
}

}  // namespace mut::bench
