#include "test/bench/workload/measure.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif

namespace mut::bench {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
double wall_seconds() { return seconds_of(CLOCK_MONOTONIC); }
double cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

uint64_t resident_bytes_peak() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

Measured measure_passes(double seconds, const std::function<std::string()>& pass,
                        const std::function<void()>& prepare) {
  const double warm_up_seconds = seconds > 0 ? 1.0 : 0;
  constexpr size_t passes_min = 3;
  Measured measured;
  const double warm_begin = wall_seconds();
  do {
    prepare();
    measured.check = pass();
  } while (wall_seconds() - warm_begin < warm_up_seconds);
  double spent = 0;
  while (spent < seconds || measured.pass_seconds.empty() ||
         (measured.pass_seconds.size() < passes_min && spent < seconds * 2)) {
    prepare();
    const double begin = wall_seconds();
    const double cpu_begin = cpu_seconds();
    CALLGRIND_TOGGLE_COLLECT;
    const std::string check = pass();
    CALLGRIND_TOGGLE_COLLECT;
    measured.pass_cpu_seconds.push_back(cpu_seconds() - cpu_begin);
    measured.pass_seconds.push_back(wall_seconds() - begin);
    spent += measured.pass_seconds.back();
    if (check != measured.check) {
      measured.check = "passes differ: " + measured.check + " and " + check;
      return measured;
    }
  }
  return measured;
}

void print_report(const Options& options, const Report& report, const Measured& measured) {
  const auto [least, most] = std::minmax_element(measured.pass_seconds.begin(), measured.pass_seconds.end());
  std::printf(R"({"workload":"%s","side":"%s","size":"%s","events":%llu,"seconds":%.9f,"seconds_min":%.9f,)"
              R"("seconds_max":%.9f,"cpu_seconds":%.9f,"passes":%zu,"check":"%s","tier":"%s",)"
              R"("compile_ms":%.3f,"rss_bytes":%llu})"
              "\n",
              options.workload.c_str(), report.side.c_str(), options.size == Size::Small ? "small" : "full",
              static_cast<unsigned long long>(report.events), median(measured.pass_seconds), *least, *most,
              median(measured.pass_cpu_seconds), measured.pass_seconds.size(), measured.check.c_str(),
              report.tier.c_str(), report.compile_ms, static_cast<unsigned long long>(resident_bytes_peak()));
}

void print_figures(const Options& options, const std::string& check, const Figures& figures) {
  std::printf(R"({"workload":"%s","side":"engine","size":"%s","check":"%s","figures":{)",
              options.workload.c_str(), options.size == Size::Small ? "small" : "full", check.c_str());
  const char* separator = "";
  for (const auto& [name, value] : figures) {
    std::printf(R"(%s"%s":%.6f)", separator, name.c_str(), value);
    separator = ",";
  }
  std::printf("}}\n");
}

}  // namespace mut::bench
