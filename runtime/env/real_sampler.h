// Samples of real threads: a timer on the processor time of each, whose signal writes down where it is.
#pragma once
#include <memory>
#include <string>

#include "runtime/abi/result.h"
#include "runtime/env/sampler.h"

namespace mut::env {

struct WatchedThread;

// The threads of one Env, and who looks at them. Threads: any.
class ThreadRoll : public std::enable_shared_from_this<ThreadRoll> {
 public:
  // The calling thread, under that name, while it lives. The roll may be gone before it.
  class Entry {
   public:
    Entry(const std::shared_ptr<ThreadRoll>& roll, const char* name);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    bool is_of(const ThreadRoll* roll) const { return roll_.lock().get() == roll; }

   private:
    std::weak_ptr<ThreadRoll> roll_;
    std::shared_ptr<WatchedThread> thread_;
  };

  ThreadRoll();
  ~ThreadRoll();
  // One at a time; fails too where the process handles SIGPROF itself, or has no timers.
  Result<std::shared_ptr<Sampler>> start_sampler();

 private:
  friend class Entry;
  friend class RealSampler;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mut::env
