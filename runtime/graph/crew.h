// The threads of several shards: each runs the same piece of work for its own, and all wait for the slowest.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/env/env.h"

namespace mut::runtime {

// Threads: run() from one.
class Crew {
 public:
  // For `shards` shards: the first is the calling thread's, one thread for each other.
  Crew(env::Env& env, uint32_t shards);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int64_t monotonic_ns() const { return env_.monotonic_ns(); }
  // How long each shard has worked in run(), nanoseconds. Between two calls of it.
  const std::vector<int64_t>& worked_ns() const { return worked_ns_; }
  // work(i) for each shard i, all at once; returns when the last is done. What the threads have written is
  // seen here then.
  void run(const std::function<void(uint32_t shard)>& work);

 private:
  void serve(uint32_t shard);
  // Of one shard; what it took.
  int64_t work(uint32_t shard);
  // Looks until it holds, awake, for that long at most. At once where there are more shards than processors.
  template <typename Holds>
  bool comes_soon(int64_t within_ns, const Holds& holds) const;

  env::Env& env_;
  std::unique_ptr<env::EventCount> begun_;
  std::unique_ptr<env::EventCount> done_;
  bool has_processors_;  // one for each shard
  const std::function<void(uint32_t)>* work_ = nullptr;
  std::atomic<uint64_t> round_{0};  // how many were begun; written after work_
  std::atomic<uint32_t> busy_{0};
  std::atomic<bool> over_{false};
  std::vector<int64_t> worked_ns_;  // by shard; each writes its own
  std::vector<std::unique_ptr<env::Thread>> threads_;
};

}  // namespace mut::runtime
