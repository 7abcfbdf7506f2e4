// Looks at threads while they run: where each is, every so often of the processor time that it uses.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/env/where.h"

namespace mut::env {

struct ThreadSample {
  uintptr_t pc = 0;
  Where where = 0;
};

// Of one thread since it is looked at.
struct ThreadTime {
  std::string name;
  uint64_t thread = 0;  // tells threads of one name apart
  int64_t cpu_ns = 0;
  int64_t waits_ns = 0;  // it could run and had no processor; 0 where the machine does not say
};

// Threads: any. Those that are looked at pay for a signal a sample, others nothing.
//
// The samples of a thread come at equal stretches of its processor time, but no closer than the ticks of the
// machine, often 4 ms: a thread that sleeps is never woken for one.
class Sampler {
 public:
  virtual ~Sampler() = default;  // no thread is looked at any more when it returns
  // Also the calling thread, until it ends. Cheap where it is already.
  virtual void enrol(const char* name) = 0;
  // Samples since the last call, in the order of each thread. `thread` as in ThreadTime.
  virtual void take(const std::function<void(uint64_t thread, const ThreadSample& sample)>& each) = 0;
  // How many were lost since the begin: nobody took them in time.
  virtual uint64_t lost() const = 0;
  // Threads that are over included.
  virtual std::vector<ThreadTime> times() const = 0;
};

}  // namespace mut::env
