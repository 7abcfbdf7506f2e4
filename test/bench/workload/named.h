// The workloads of one side by name: files give lists of them.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "test/bench/workload/measure.h"
#include "test/bench/workload/options.h"

namespace mut::bench {

struct WorkloadRun {
  uint64_t events;
  Measured measured;
  std::string tier = "clang -O3";
  double compile_ms = 0;
};
struct NamedWorkload {
  std::string_view name;
  std::optional<WorkloadRun> (*run)(const Options&);  // nothing: it failed, and said why on stderr
};
using NamedWorkloads = std::span<const NamedWorkload>;

}  // namespace mut::bench
