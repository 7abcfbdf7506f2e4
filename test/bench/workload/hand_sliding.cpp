#include "test/bench/workload/hand_sliding.h"

#include "test/bench/limit/w7.h"
#include "test/bench/workload/sliding_list.h"

namespace mut::bench {
namespace {

std::optional<WorkloadRun> run(const Options& options, const SlidingWindow& window) {
  const auto values = make_sliding_values(options.sliding_values());
  return WorkloadRun{values.size(), measure_passes(options.seconds, [&] {
                       const SlidingTotals totals = window.aggregate == SlidingAggregate::Max
                                                        ? run_sliding_max(values, window.width, window.slide)
                                                        : run_sliding_sum(values, window.width, window.slide);
                       return SumCheck{totals.rows, totals.total}.text();
                     })};
}

}  // namespace

NamedWorkloads hand_sliding() { return sliding_list<run>; }

}  // namespace mut::bench
