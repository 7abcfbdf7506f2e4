#include "compiler/session/optimiser.h"

namespace mut::session {

Optimiser::Optimiser(env::Env& env, jit::Jit& jit)
    : jit_(jit), thread_(env.start_thread("mut-optimise", [this] { work(); }, env::ThreadPriority::Lowest)) {}

Optimiser::~Optimiser() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    wanted_ = nullptr;
  }
  changed_.notify_all();
  thread_->join();
}

void Optimiser::want(std::shared_ptr<const Program> program, uint64_t version) {
  {
    std::lock_guard lock(mutex_);
    wanted_ = std::move(program);
    wanted_version_ = version;
  }
  changed_.notify_all();
}

std::optional<OptimisedKernels> Optimiser::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(ready_, std::nullopt);
}

void Optimiser::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !wanted_ && !busy_; });
}

void Optimiser::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || stop_; });
    if (stop_) return;
    std::shared_ptr<const Program> program = std::exchange(wanted_, nullptr);
    uint64_t version = wanted_version_;
    busy_ = true;
    lock.unlock();
    OptimisedKernels made;
    made.version = version;
    auto kernels = jit_.compile(*program->graph, jit::Tier::Optimised, codegen::Literals::Table, &made.times);
    lock.lock();
    busy_ = false;
    if (kernels) {
      made.kernels = std::move(kernels).value();
      ready_ = std::move(made);
    }
    changed_.notify_all();
  }
}

}  // namespace mut::session
