// The program's own health as a stream: `metrics(every: 1s)`.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/codec/decoder.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::session {

struct MetricsSourceOptions {
  int64_t every_ns = 0;
  // Nanoseconds, by a clock that is not set.
  std::function<int64_t()> steady_ns;
  // One record as JSON; nothing: all else has ended, and so does this. Called by poll().
  std::function<std::optional<std::string>()> row;
};

// A record at once, then one every `every_ns`; those that nobody asked for in time are left out.
std::unique_ptr<connector::SourceReader> make_metrics_source(env::Env& env, MetricsSourceOptions options,
                                                             abi::TypeDescRef record,
                                                             const codec::DecodeOptions& decode);

}  // namespace mut::session
