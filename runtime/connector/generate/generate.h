// `generate(…)`: rows that are only their number; kernels compute the fields from it (rule 6.20).
#pragma once
#include <atomic>
#include <memory>

#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct GenerateOptions {
  int64_t count = -1;                               // rows; -1: without end
  int64_t step_ns = 0;                              // event time between rows
  int64_t start_ns = 0;                             // event time of row 0
  std::shared_ptr<const std::atomic<double>> rate;  // rows per second of wall time; 0: as fast as taken
};

// Its batches have one column `n`, whatever the kernels make of it. `rate` may change while it runs: rows
// are paced anew from there on. `env` must outlive it.
std::unique_ptr<SourceReader> make_generator(env::Env& env, const GenerateOptions& options);

}  // namespace mut::connector
