// What has no hand-written side: how long compiling, swapping and single rows take.
#pragma once
#include "test/bench/workload/options.h"

namespace mut::bench {

// W8: scripts of 1, 10, 50 and 200 operators, from their text to the first event processed. `program` is run
// anew for the cold figure. Prints one JSON line; returns an exit code.
int print_compile_latency(const char* program);
// A process that compiles ten operators, runs one event and ends.
int run_one_event();

// W9: edits of six kinds while a million events a second and more flow, at full and at less load, beside the
// start of a process. `program` is what is started.
int print_live_swap(const Options& options, const char* program);

// W10: latency of rows under a load that is due by the clock, and the processor time of one that hardly is.
int print_latency(const Options& options);

}  // namespace mut::bench
