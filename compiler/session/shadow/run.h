// The shadow of an engine: the one that runs or waits, or the last one.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "compiler/session/program.h"
#include "compiler/session/shadow/comparison.h"
#include "mutstream/engine.h"

namespace mut::session {

struct ShadowRun {
  ShadowRequest request;
  std::shared_ptr<Program> program;
  std::shared_ptr<Comparison> comparison;
  ShadowReport report;          // but for what is counted while it runs
  uint64_t records_before = 0;  // of all sources
  uint64_t live_errors_before = 0;
};

// What of it was not expected.
std::vector<std::string> unexpected(const Expectation& expected, const std::vector<SinkComparison>& found);

}  // namespace mut::session
