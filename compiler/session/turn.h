// Who may touch what runs: the thread of the rows for a batch at a time, and in between whoever asks.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace mut::session {

class Turn {
 public:
  // The thread of the rows. Lets those go first who wait.
  std::unique_lock<std::timed_mutex> run() {
    std::unique_lock lock(mutex_);
    // Who gives up asking does not have the lock: its word may come before this sleeps.
    constexpr auto look = std::chrono::milliseconds(10);
    while (asking_.load(std::memory_order_relaxed) > 0) over_.wait_for(lock, look);
    return lock;
  }

  // Any other thread: calls `look` between two batches. Must not come from within a batch.
  template <typename Look>
  void ask(Look look) {
    asking_.fetch_add(1, std::memory_order_relaxed);
    {
      std::lock_guard lock(mutex_);
      look();
      asking_.fetch_sub(1, std::memory_order_relaxed);
    }
    over_.notify_all();
  }

  // The same, if the batch that runs ends in time; else nothing is called, and this is false.
  template <typename Look>
  bool ask_within(int64_t limit_ns, Look look) {
    asking_.fetch_add(1, std::memory_order_relaxed);
    bool has_turn = false;
    {
      std::unique_lock lock(mutex_, std::chrono::nanoseconds(limit_ns));
      has_turn = lock.owns_lock();
      if (has_turn) look();
      asking_.fetch_sub(1, std::memory_order_relaxed);
    }
    over_.notify_all();
    return has_turn;
  }

 private:
  std::timed_mutex mutex_;
  std::condition_variable_any over_;
  std::atomic<int> asking_{0};
};

}  // namespace mut::session
