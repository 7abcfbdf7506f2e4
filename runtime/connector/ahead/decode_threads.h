// Threads that decode text of sources beside the shard.
#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/env/env.h"

namespace mut::connector {

// Done once, by whoever comes first.
class DecodeTask {
 public:
  virtual ~DecodeTask() = default;
  // From any thread. Nothing where another thread has begun it.
  virtual void run_unless_begun() = 0;
};

// Threads: any, all methods. A task lives as long as its owner wants it: one that is gone is not run.
class DecodeThreads {
 public:
  // Starts them with the first task. `env` must outlive it.
  DecodeThreads(env::Env& env, uint32_t threads)
      : env_(env), count_(threads), posted_(env.make_event_count()) {}
  ~DecodeThreads();
  DecodeThreads(const DecodeThreads&) = delete;
  DecodeThreads& operator=(const DecodeThreads&) = delete;

  uint32_t count() const { return count_; }
  env::Env& env() { return env_; }
  // Tasks are begun in the order in which they were posted.
  void post(const std::shared_ptr<DecodeTask>& task);

 private:
  void serve();
  std::shared_ptr<DecodeTask> take();

  env::Env& env_;
  const uint32_t count_;
  std::unique_ptr<env::EventCount> posted_;
  std::mutex mutex_;
  std::deque<std::weak_ptr<DecodeTask>> tasks_;
  std::atomic<bool> over_{false};
  std::vector<std::unique_ptr<env::Thread>> threads_;  // last: they end before the rest goes
};

}  // namespace mut::connector
