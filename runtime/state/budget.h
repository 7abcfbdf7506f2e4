// Bytes of state of one engine. Stores count what they allocate; past the limit an insert fails with
// event error `memory`. Threads: any; the stores of an edit are made beside the running ones.
#pragma once
#include <atomic>
#include <cstddef>

namespace mut::state {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes) {}
  void add(size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool fits(size_t bytes) const { return used() + bytes <= limit_; }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }

 private:
  size_t limit_;
  std::atomic<size_t> used_{0};
};

}  // namespace mut::state
