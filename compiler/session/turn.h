// Who may touch what runs: the thread of the rows for a batch at a time, and in between whoever asks.
#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace mut::session {

class Turn {
 public:
  // The thread of the rows. Lets those go first who wait.
  std::unique_lock<std::mutex> run() {
    std::unique_lock lock(mutex_);
    if (asking_.load(std::memory_order_relaxed) > 0)
      over_.wait(lock, [this] { return asking_.load(std::memory_order_relaxed) == 0; });
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

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  std::atomic<int> asking_{0};
};

}  // namespace mut::session
