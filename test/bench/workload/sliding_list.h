// The windows of w7: each aggregate by width and slide, under the names that tools/bench knows.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "test/bench/input/check.h"
#include "test/bench/input/splitmix.h"
#include "test/bench/workload/named.h"

namespace mut::bench {

enum class SlidingAggregate : uint8_t { Sum, Max };
struct SlidingWindow {
  SlidingAggregate aggregate;
  size_t width, slide;
};

// Uniform in [0, 2^24).
inline std::vector<int64_t> make_sliding_values(uint64_t value_count) {
  std::vector<int64_t> values(value_count);
  for (uint64_t i = 0; i < value_count; ++i)
    values[i] = static_cast<int64_t>(SplitMix64::of_item(42, i).uniform(uint64_t{1} << 24));
  return values;
}

// `Run` takes the options and a window.
template <auto Run, SlidingAggregate Aggregate, size_t Width, size_t Slide>
std::optional<WorkloadRun> run_sliding(const Options& options) {
  return Run(options, SlidingWindow{Aggregate, Width, Slide});
}
template <auto Run>
constexpr std::array sliding_list = {
    NamedWorkload{"w7max1e3", run_sliding<Run, SlidingAggregate::Max, 1'000, 1>},
    NamedWorkload{"w7max1e5", run_sliding<Run, SlidingAggregate::Max, 100'000, 1>},
    NamedWorkload{"w7max1e6", run_sliding<Run, SlidingAggregate::Max, 1'000'000, 1>},
    NamedWorkload{"w7sum1e3", run_sliding<Run, SlidingAggregate::Sum, 1'000, 1>},
    NamedWorkload{"w7sum1e5", run_sliding<Run, SlidingAggregate::Sum, 100'000, 1>},
    NamedWorkload{"w7sum1e6", run_sliding<Run, SlidingAggregate::Sum, 1'000'000, 1>},
    NamedWorkload{"w7max1e3by100", run_sliding<Run, SlidingAggregate::Max, 1'000, 100>},
    NamedWorkload{"w7max1e5by100", run_sliding<Run, SlidingAggregate::Max, 100'000, 100>},
    NamedWorkload{"w7max1e6by100", run_sliding<Run, SlidingAggregate::Max, 1'000'000, 100>},
    NamedWorkload{"w7sum1e3by100", run_sliding<Run, SlidingAggregate::Sum, 1'000, 100>},
    NamedWorkload{"w7sum1e5by100", run_sliding<Run, SlidingAggregate::Sum, 100'000, 100>},
    NamedWorkload{"w7sum1e6by100", run_sliding<Run, SlidingAggregate::Sum, 1'000'000, 100>},
};

}  // namespace mut::bench
