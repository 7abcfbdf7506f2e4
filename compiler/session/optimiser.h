// Compiles better code in the background, at the lowest priority, newest wish first: the optimised tier at
// once; and when a version has run undisturbed for a while, the same with its literals compiled in.
#pragma once
#include <condition_variable>
#include <deque>
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
  // Table: good for every version of this shape. Constant: for this version only.
  codegen::Literals literals = codegen::Literals::Table;
};

// Threads: all methods from one; its own thread inside.
class Optimiser {
 public:
  Optimiser(env::Env& env, jit::Jit& jit);
  ~Optimiser();
  enum class Start : uint8_t { Quick, Optimised };  // what the version runs on now
  // Forgets an earlier wish that has not been begun.
  void want(std::shared_ptr<const Program> program, uint64_t version, Start start);
  // Results in the order in which they were made, each once.
  std::optional<OptimisedKernels> take();
  void wait_idle();

 private:
  void work();
  // With the lock; compiles without it.
  void make(std::unique_lock<std::mutex>& lock, const Program& program, uint64_t version,
            codegen::Literals literals);
  jit::Jit& jit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Program> wanted_;
  uint64_t wanted_version_ = 0;
  Start wanted_start_ = Start::Quick;
  bool busy_ = false;
  bool stop_ = false;
  std::deque<OptimisedKernels> ready_;
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::session
