// The bell an idle shard sleeps on. Rung by sources, timers, control and swaps.
#pragma once
#include <cstdint>

namespace mut::env {

// To sleep without missing a ring: read `current()`, look for work, then wait(seen, …).
// Threads: any, all methods.
class EventCount {
 public:
  virtual ~EventCount() = default;
  virtual uint64_t current() const noexcept = 0;
  virtual void notify() noexcept = 0;
  // Returns when current() != seen or after `timeout_ns`; negative waits without limit.
  virtual void wait(uint64_t seen, int64_t timeout_ns) = 0;
};

}  // namespace mut::env
