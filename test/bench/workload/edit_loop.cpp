// bench_edits KIND [ROUNDS]: edits of one kind, one after the other, with a few batches between. What `perf
// stat` or callgrind counts of it is the cost of an edit: --toggle-collect='mut::Engine::swap*'.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "test/bench/input/ysb.h"
#include "test/bench/workload/edits.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/figure_list.h"

namespace mut::bench {
namespace {

constexpr int rounds_usually = 100;
constexpr int turns_between = 20;
constexpr uint64_t rows = 1 << 16;

int run(const Edit& edit, int rounds) {
  const YsbColumns ysb = make_ysb_columns(rows, YsbFields::Queried);
  EngineRun::Setup setup;
  setup.script = edit.script(0);
  setup.source = "rows";
  setup.sink = "counts";
  setup.columns = {{ysb.ad.data(), ysb.event_type.data(), ysb.time_ns.data()},
                   ysb.time_ns,
                   ysb.row_count(),
                   uint64_t{1} << 40,
                   ysb.time_ns.back() - ysb.time_ns.front() + 1'000'000};
  setup.tier = TierChoice::Quick;
  EngineRun engine(std::move(setup));
  std::vector<double> check_ms;
  std::vector<double> compile_ms;
  std::vector<double> all_ms;
  for (int round = 1; round <= rounds; ++round) {
    for (int turn = 0; turn < turns_between; ++turn) engine.run_turn();
    const std::string script = edit.script(round);
    const double begin = now_ms();
    auto offered = engine.engine().swap({script, "bench.mut", {}, edit.accept});
    all_ms.push_back(now_ms() - begin);
    if (!offered) {
      std::fprintf(stderr, "bench_edits: %s\n", offered.failure().text.c_str());
      return 1;
    }
    check_ms.push_back(static_cast<double>(offered.value().check_ns) * 1e-6);
    compile_ms.push_back(static_cast<double>(offered.value().compile_ns) * 1e-6);
    while (!engine.engine().swap_done()) engine.run_turn();
  }
  std::printf("%s: prepared in %.2f ms (p99 %.2f), of which check %.2f and code %.2f\n", edit.name,
              quantile(all_ms, 0.5), quantile(all_ms, 0.99), quantile(check_ms, 0.5),
              quantile(compile_ms, 0.5));
  return 0;
}

}  // namespace
}  // namespace mut::bench

int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  const int rounds = argc > 2 ? std::atoi(argv[2]) : mut::bench::rounds_usually;
  for (const mut::bench::Edit& edit : mut::bench::light_edits()) {
    if (edit.name == wanted && rounds > 0) return mut::bench::run(edit, rounds);
  }
  std::fprintf(stderr, "bench_edits constant|expression|column|operator [ROUNDS]\n");
  return 2;
}
