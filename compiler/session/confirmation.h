// Where no checkpoints are taken: what sources may tell their world that it need not give again.
#pragma once
#include <cstdint>
#include <vector>

#include "compiler/session/connect.h"
#include "runtime/env/env.h"
#include "runtime/graph/runner.h"

namespace mut::session {

// Rows that were run may wait in a sink: what a source confirms is what has left all sinks. Threads: that of
// the rows, between two calls of Runner::run().
class Confirmation {
 public:
  explicit Confirmation(env::Env& env) : env_(env) {}

  // Flushes sinks from time to time, and confirms when they have nothing left. Fails where a sink does.
  Status go_on(runtime::Runner& runner, const std::vector<KnownSink>& sinks);
  // Sinks that are never empty while rows are run: whether none should be run for a moment.
  bool wants_rest(const runtime::Runner& runner) const;
  // How long until it is to be asked again, nanoseconds; negative: nothing waits.
  int64_t retry_after_ns() const { return is_noted_ ? look_ns : is_behind_ ? every_ns : -1; }
  // The run has come to its end: whether Runner::acknowledge_saved() is to be called when all sinks have
  // closed well.
  static bool note(runtime::Runner& runner);

 private:
  // While a sink has something left; between two confirmations where nobody waits for one.
  static constexpr int64_t look_ns = 20'000'000;
  static constexpr int64_t every_ns = 100'000'000;

  env::Env& env_;
  bool is_noted_ = false;   // rows up to some record are to leave the sinks
  bool is_behind_ = false;  // records have been run since
  uint64_t noted_records_ = 0;
  int64_t noted_ns_ = 0;  // since when, or when they were noted last
};

}  // namespace mut::session
