// Scripts of a given number of operators, for compile latency, and events for them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mut::bench {

// A source `events` of {at: time, key: int, x: float} from stdin, `operator_count` stages and a count and
// sum per key in windows of 10 s to the sink `out`. Operator i is a filter `x > c` when i mod 4 = 3, else
// a map `x = a * x + b`. Each filter passes 90 % of what reaches it when x is uniform in [0, 1) at first.
// Scripts of other seeds differ in their constants alone.
std::string make_operator_script(unsigned operator_count, uint64_t seed);

// One event per ms, keys uniform in [0, 100), x uniform in [0, 1).
struct OperatorEvents {
  std::vector<int64_t> time_ns, key;
  std::vector<double> x;
  size_t row_count() const { return key.size(); }
};
OperatorEvents make_operator_events(uint64_t event_count);

}  // namespace mut::bench
