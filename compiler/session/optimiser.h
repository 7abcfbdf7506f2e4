// Compiles the optimised tier in the background, at the lowest priority, newest wish first.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "compiler/jit/jit.h"
#include "compiler/session/program.h"
#include "runtime/env/env.h"

namespace mut::session {

struct OptimisedKernels {
  uint64_t version = 0;
  runtime::Kernels kernels;
  jit::CompileTimes times;
};

// Threads: all methods from one; its own thread inside.
class Optimiser {
 public:
  Optimiser(env::Env& env, jit::Jit& jit);
  ~Optimiser();
  // Forgets an earlier wish that has not been begun.
  void want(std::shared_ptr<const Program> program, uint64_t version);
  // The newest result, once.
  std::optional<OptimisedKernels> take();
  void wait_idle();

 private:
  void work();
  jit::Jit& jit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Program> wanted_;
  uint64_t wanted_version_ = 0;
  bool busy_ = false;
  bool stop_ = false;
  std::optional<OptimisedKernels> ready_;
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::session
