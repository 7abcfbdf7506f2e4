// Bytes of state of one engine. Stores count what they allocate; past the limit an insert fails with
// event error `memory`. Each store counts in a budget of its own too, whose limit is that of the engine.
//
// What is parked for an undo counts as used, and yet never makes an insert fail: it is let go instead, at the
// next boundary. Nor does what nobody needs any more, until its memory is given back.
// Threads: any; the stores of an edit are made beside the running ones.
#pragma once
#include <atomic>
#include <cstddef>

namespace mut::state {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes) {}
  // Of one store; `engine` outlives it.
  explicit Budget(Budget* engine) : engine_(engine) {}
  void add(size_t bytes) {
    used_.fetch_add(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->add(bytes);
  }
  void remove(size_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->remove(bytes);
  }
  bool fits(size_t bytes) const {
    if (engine_ != nullptr) return engine_->fits(bytes);
    return used() + bytes <=
           limit_ + parked_.load(std::memory_order_relaxed) + leaving_.load(std::memory_order_relaxed);
  }
  // Of one store: it goes into another engine's, which takes it whatever its limit.
  void move_to(Budget& engine) {
    engine_->remove(used());
    engine_ = &engine;
    engine_->add(used());
  }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return engine_ != nullptr ? engine_->limit() : limit_; }
  Budget& engine() { return engine_ != nullptr ? *engine_ : *this; }
  // Of the engine's: how much of `used` is parked.
  size_t parked() const { return parked_.load(std::memory_order_relaxed); }
  void set_parked(size_t bytes) { parked_.store(bytes, std::memory_order_relaxed); }
  // Of the engine's: how much of `used` is about to be given back; then it was.
  size_t leaving() const { return leaving_.load(std::memory_order_relaxed); }
  void leave(size_t bytes) { leaving_.fetch_add(bytes, std::memory_order_relaxed); }
  void left(size_t bytes) { leaving_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  Budget* engine_ = nullptr;
  size_t limit_ = 0;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> parked_{0};
  std::atomic<size_t> leaving_{0};
};

}  // namespace mut::state
