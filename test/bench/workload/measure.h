// Times repeated passes over one input and prints the one JSON line of a benchmark program.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "test/bench/workload/options.h"

namespace mut::bench {

struct Measured {
  std::vector<double> pass_seconds;      // on the wall
  std::vector<double> pass_cpu_seconds;  // of all threads: what holds on a machine shared with others
  std::string check;  // of one pass; every pass gave the same, or it says so and can equal nothing
};

// `pass` does the whole work once and returns its check; `prepare` comes before each and is in no time. At
// least a second of warm-up and three passes; fewer once they took twice the time asked for. Of 0 seconds:
// one pass to warm up and one, whose instructions callgrind counts where the program runs in it.
Measured measure_passes(
    double seconds, const std::function<std::string()>& pass, const std::function<void()>& prepare = [] {});

struct Report {
  std::string side;  // "hand" or "engine"
  uint64_t events = 0;
  std::string tier;
  double compile_ms = 0;
};
void print_report(const Options& options, const Report& report, const Measured& measured);

// For what has named figures instead of a rate (w8, w9). tools/bench knows the goals by these names;
// a figure with a goal that is left out counts as missed. `check` is "ok" or says what was wrong, and then
// there are no times.
using Figures = std::vector<std::pair<std::string, double>>;
void print_figures(const Options& options, const std::string& check, const Figures& figures);

}  // namespace mut::bench
