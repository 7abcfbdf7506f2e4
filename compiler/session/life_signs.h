// What the thread of the rows leaves behind for those who may not wait for it.
#pragma once
#include <atomic>
#include <cstdint>

#include "mutstream/inspect.h"
#include "runtime/env/env.h"

namespace mut::session {

// Threads: any.
struct LifeSigns {
  std::atomic<Health::Phase> phase{Health::Phase::Starting};
  std::atomic<int64_t> busy_since_ns{0};  // by the steady clock; 0: it is in no turn
};

// A turn of that thread, or whatever else keeps it.
class Busy {
 public:
  Busy(LifeSigns& life, env::Env& env) : life_(life), env_(env), since_ns_(env.monotonic_ns()) {
    life_.busy_since_ns.store(since_ns_, std::memory_order_relaxed);
  }
  ~Busy() { life_.busy_since_ns.store(0, std::memory_order_relaxed); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  int64_t took_ns() const { return env_.monotonic_ns() - since_ns_; }

 private:
  LifeSigns& life_;
  env::Env& env_;
  int64_t since_ns_;
};

}  // namespace mut::session
