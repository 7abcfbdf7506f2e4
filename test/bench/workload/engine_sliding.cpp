#include "test/bench/workload/engine_sliding.h"

#include <memory>
#include <numeric>

#include "test/bench/limit/w7.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/sliding_list.h"

namespace mut::bench {
namespace {

// The results are summed by the script, as they are by hand: what one row costs a sink is another matter.
std::string script_of(const SlidingWindow& window) {
  const bool max = window.aggregate == SlidingAggregate::Max;
  const std::string of = max ? "max(v)" : "sum(v)";
  const std::string width = std::to_string(window.width);
  std::string out = "type Value = { v: int }\nsource values: Value = stdin()\nstream wide = values | ";
  out += "aggregate m = " + of + " window count " + width + " every " + std::to_string(window.slide);
  return out + "\nstream totals = wide | aggregate rows = count(), total = sum(m" +
         (max ? "" : " / " + std::to_string(sliding_sum_unit)) + ") window all\nemit totals to stdout()\n";
}

// From empty to the last result: an engine for each pass, made outside of the time.
std::optional<WorkloadRun> run(const Options& options, const SlidingWindow& window) {
  const auto values = make_sliding_values(options.sliding_values());
  std::vector<int64_t> times(values.size());
  std::iota(times.begin(), times.end(), 0);
  SumCheck check;
  std::unique_ptr<EngineRun> engine;
  double compile_ms = 0;
  auto prepare = [&] {
    engine.reset();
    check = {};
    EngineRun::Setup setup;
    setup.shards = options.shards;
    setup.script = script_of(window);
    setup.source = "values";
    setup.sink = "totals";
    setup.columns = {{values.data()}, times, values.size(), 1, 0};
    setup.take = [&](const RowBatch& rows) {
      const size_t last = rows.row_count() - 1;
      check = {static_cast<uint64_t>(ints_of(rows, 0)[last]), ints_of(rows, 1)[last]};
    };
    engine = std::make_unique<EngineRun>(std::move(setup));
    compile_ms = engine->compile_ms();
  };
  Measured measured = measure_passes(
      options.seconds,
      [&] {
        engine->run_to_end();
        return check.text();
      },
      prepare);
  return WorkloadRun{values.size(), measured, engine->tier(), compile_ms};
}

}  // namespace

NamedWorkloads engine_sliding() { return sliding_list<run>; }

}  // namespace mut::bench
