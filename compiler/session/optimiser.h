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

// Threads: all methods from one, a Hold from any; its own thread inside.
class Optimiser {
 public:
  // `tier`: of what it makes. Quick code it makes once a wish, and never with literals compiled in.
  Optimiser(env::Env& env, jit::Jit& jit, jit::Tier tier = jit::Tier::Optimised);
  ~Optimiser();
  enum class Start : uint8_t { Quick, Optimised };  // what the version runs on now
  // While one lives nothing is compiled: who prepares an edit has the processors, and what is compiled is
  // likely to be of no use then. `of` outlives it.
  class Hold {
   public:
    explicit Hold(Optimiser* of);  // null: there is none
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Optimiser* of_;
  };
  // Forgets an earlier wish that has not been begun, and lets go of code for a version of another shape.
  void want(std::shared_ptr<const Program> program, uint64_t version, Start start,
            jit::Notes notes = jit::Notes::None);
  // Results in the order in which they were made, each once.
  std::optional<OptimisedKernels> take();
  void wait_idle();

 private:
  void work();
  bool goes_on();
  // With the lock; compiles without it.
  void make(std::unique_lock<std::mutex>& lock, const std::shared_ptr<const Program>& program,
            uint64_t version, codegen::Literals literals, jit::Notes notes);
  jit::Jit& jit_;
  jit::Tier tier_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Program> wanted_;
  uint64_t wanted_version_ = 0;
  Start wanted_start_ = Start::Quick;
  jit::Notes wanted_notes_ = jit::Notes::None;
  int holds_ = 0;
  std::shared_ptr<const Program> making_;
  bool outdated_ = false;  // what is made
  bool busy_ = false;
  bool stop_ = false;
  std::deque<OptimisedKernels> ready_;
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::session
