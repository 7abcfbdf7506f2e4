#include "compiler/session/optimiser.h"

#include <chrono>

#include "runtime/env/does.h"

namespace mut::session {
namespace {

constexpr std::chrono::milliseconds settles_after{250};

}  // namespace

Optimiser::Optimiser(env::Env& env, jit::Jit& jit, jit::Tier tier)
    : jit_(jit),
      tier_(tier),
      thread_(env.start_thread("mut-optimise", [this] { work(); }, env::ThreadPriority::Lowest)) {}

Optimiser::~Optimiser() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    wanted_ = nullptr;
  }
  changed_.notify_all();
  thread_->join();
}

void Optimiser::want(std::shared_ptr<const Program> program, uint64_t version, Start start,
                     jit::Notes notes) {
  {
    std::lock_guard lock(mutex_);
    // For good: passes have been left out, so that what is made is of no use to a later wish either.
    outdated_ = outdated_ || (making_ != nullptr && making_->graph->shape != program->graph->shape);
    wanted_ = std::move(program);
    wanted_version_ = version;
    wanted_start_ = start;
    wanted_notes_ = notes;
  }
  changed_.notify_all();
}

std::optional<OptimisedKernels> Optimiser::take() {
  std::lock_guard lock(mutex_);
  if (ready_.empty()) return std::nullopt;
  OptimisedKernels out = std::move(ready_.front());
  ready_.pop_front();
  return out;
}

void Optimiser::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !wanted_ && !busy_; });
}

Optimiser::Hold::Hold(Optimiser* of) : of_(of) {
  if (of_ == nullptr) return;
  std::lock_guard lock(of_->mutex_);
  ++of_->holds_;
}

Optimiser::Hold::~Hold() {
  if (of_ == nullptr) return;
  {
    std::lock_guard lock(of_->mutex_);
    --of_->holds_;
  }
  of_->changed_.notify_all();
}

bool Optimiser::goes_on() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return holds_ == 0 || stop_; });
  return !stop_ && !outdated_;
}

void Optimiser::make(std::unique_lock<std::mutex>& lock, const std::shared_ptr<const Program>& program,
                     uint64_t version, codegen::Literals literals, jit::Notes notes) {
  busy_ = true;
  making_ = program;
  outdated_ = false;
  lock.unlock();
  OptimisedKernels made;
  made.version = version;
  made.literals = literals;
  auto kernels = jit_.compile(
      *program->graph, tier_, literals, jit::Reuse::OnDisk, &made.times, [this] { return goes_on(); }, notes);
  lock.lock();
  busy_ = false;
  making_ = nullptr;
  if (kernels) {
    made.kernels = std::move(kernels).value();
    ready_.push_back(std::move(made));
  }
  changed_.notify_all();
}

void Optimiser::work() {
  env::Does compiles(Work::Edit);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || stop_; });
    if (stop_) return;
    std::shared_ptr<const Program> program = std::exchange(wanted_, nullptr);
    uint64_t version = wanted_version_;
    jit::Notes notes = wanted_notes_;
    if (wanted_start_ == Start::Quick) make(lock, program, version, codegen::Literals::Table, notes);
    if (tier_ == jit::Tier::Quick) continue;
    // Who turns a limit up and down keeps the code that takes any limit.
    if (program->graph->literals.empty()) continue;
    bool disturbed = changed_.wait_for(lock, settles_after, [this] { return wanted_ || stop_; });
    if (!disturbed) make(lock, program, version, codegen::Literals::Constant, notes);
  }
}

}  // namespace mut::session
