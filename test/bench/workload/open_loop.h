// Events that are due by the clock, whatever the engine does with them, and how long their rows take.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mutstream/engine.h"
#include "test/bench/workload/options.h"

namespace mut::bench {

// The program whose latency is measured. Its source `events` has the fields `key: int, kind: int, at: time`.
// Event i is due at i / rate seconds; `at` is that time after `base`, so a row tells when it was due.
struct LatencyProgram {
  std::string script;
  // Of a row of the sink `out`: the number of nanoseconds after `base` that the newest event behind it has,
  // at least; the first event at or after it is that event.
  std::function<int64_t(const RowView&)> due_ns;
  std::function<int64_t(const RowView&)> counted;              // for the check
  std::function<int64_t(int64_t key, int64_t kind)> expected;  // what an event adds to the sum of that
};
constexpr int64_t latency_base_ns = 1'700'000'000'000'000'000;

struct LatencyRun {
  std::vector<int64_t> latency_ns;  // a row each, without those of the first second
  double events_per_s = 0;          // taken, in the measured stretch
  double engine_cpu_share = 0;      // of a core: all threads but the one that pushes
  double host_cpu_share = 0;        // the thread that pushes, which sleeps only where the next event is far
  bool right = false;               // the sum over all rows was what the events make
  bool kept_up = false;             // the queue at the end held no more than 50 ms of events
};

// `rate`: events a second; 0: as fast as they are taken, without latencies. Two threads on two cores, when
// there are two: one pushes, the caller's runs the engine. `seconds` after one of warm-up.
LatencyRun run_open_loop(const LatencyProgram& program, double rate, double seconds);

}  // namespace mut::bench
