#include "compiler/session/confirmation.h"

#include <algorithm>

namespace mut::session {
namespace {

// Nanoseconds. So long sinks may have something left all the time; then rows rest for so long, again and
// again.
constexpr int64_t patience_ns = 2'000'000'000;
constexpr int64_t rest_ns = 200'000'000;

bool has_left(const KnownSink& sink) {
  return !sink.writer->is_out_of_space() && sink.writer->waiting_bytes() == 0;
}

}  // namespace

Status Confirmation::go_on(runtime::Runner& runner, const std::vector<KnownSink>& sinks) {
  if (!runner.feeds().wait_for_sinks()) return Unit{};
  const int64_t now_ns = env_.monotonic_ns();
  if (!is_noted_) {
    is_behind_ = runner.stats().records_in != noted_records_;
    const bool due = runner.feeds().is_waited_for() || (is_behind_ && now_ns - noted_ns_ >= every_ns);
    if (!due || !runner.hand_over_output()) return Unit{};
    is_noted_ = true;
    is_behind_ = false;
    noted_records_ = runner.stats().records_in;
    noted_ns_ = now_ns;
    Status flushed = runner.flush();
    if (!flushed) return flushed;
  }
  if (!std::all_of(sinks.begin(), sinks.end(), has_left)) return Unit{};
  is_noted_ = false;
  runner.acknowledge_saved();
  return Unit{};
}

bool Confirmation::wants_rest(const runtime::Runner& runner) const {
  if (!is_noted_) return false;
  const int64_t waited_ns = env_.monotonic_ns() - noted_ns_;
  if (runner.feeds().is_waited_for()) return waited_ns < patience_ns;
  return waited_ns % patience_ns >= patience_ns - rest_ns;
}

bool Confirmation::note(runtime::Runner& runner) {
  return runner.feeds().wait_for_sinks() && runner.hand_over_output();
}

}  // namespace mut::session
