// Bytes of state of one engine. Stores count what they allocate; past the limit an insert fails with
// event error `memory`. Each store counts in a budget of its own too, whose limit is that of the engine.
//
// What is parked for an undo counts as used, and yet never makes an insert fail: it is let go instead, at the
// next boundary. Nor does what nobody needs any more, until its memory is given back.
//
// With a Spill the limit is what memory and its file have together. Seven eighths of the memory are for what
// lies in memory, the rest for what of the file is looked at. Pieces that are too small for the file stay in
// memory, up to its end. Threads: any; the stores of an edit are made beside the running ones.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "runtime/state/spill.h"

namespace mut::state {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes), memory_(limit_bytes) {}
  // Of an engine whose state goes on in `spill`, which may be null.
  Budget(size_t memory_bytes, std::shared_ptr<Spill> spill)
      : limit_(memory_bytes + (spill ? spill->bytes_max() : 0)),
        memory_(memory_bytes),
        spill_(std::move(spill)) {}
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
    size_t beside = parked_.load(std::memory_order_relaxed) + leaving_.load(std::memory_order_relaxed);
    if (used() + bytes > limit_ + beside) return false;
    if (!spill_ || in_memory() + bytes <= memory_share()) return true;
    return in_memory() <= memory_ + beside && spill_->has_room(bytes);
  }
  // A piece of the file, for who would allocate `bytes`, a power of two; null: memory has room, or there is
  // no file, or no room in it. What of it is used counts by add() and in_file(), both the caller's.
  char* take_spilled(size_t bytes) {
    Budget& of = engine();
    if (!of.spill_ || bytes < Spill::piece_bytes || of.in_memory() + bytes <= of.memory_share())
      return nullptr;
    return of.spill_->take(bytes);
  }
  bool owns_spilled(const char* piece) {
    Budget& of = engine();
    return of.spill_ && of.spill_->owns(piece);
  }
  void give_back_spilled(char* piece, size_t bytes) { engine().spill_->give_back(piece, bytes); }
  // So much of what add() counted lies in the file; then no more.
  void in_file(size_t bytes) {
    spilled_.fetch_add(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->in_file(bytes);
  }
  void out_of_file(size_t bytes) {
    spilled_.fetch_sub(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->out_of_file(bytes);
  }
  // So much memory was allocated for what add() will count; then it was counted.
  void set_aside(size_t bytes) {
    aside_.fetch_add(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->set_aside(bytes);
  }
  void take_from_aside(size_t bytes) {
    aside_.fetch_sub(bytes, std::memory_order_relaxed);
    if (engine_ != nullptr) engine_->take_from_aside(bytes);
  }
  // Of one store: it goes into another engine's, which takes it whatever its limit.
  void move_to(Budget& engine) {
    size_t spilled = spilled_.load(std::memory_order_relaxed);
    size_t aside = aside_.load(std::memory_order_relaxed);
    engine_->remove(used());
    engine_->out_of_file(spilled);
    engine_->take_from_aside(aside);
    engine_ = &engine;
    engine_->add(used());
    engine_->in_file(spilled);
    engine_->set_aside(aside);
  }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return engine_ != nullptr ? engine_->limit() : limit_; }
  size_t spilled() const { return spilled_.load(std::memory_order_relaxed); }
  Budget& engine() { return engine_ != nullptr ? *engine_ : *this; }
  // Of the engine's: how much of `used` is parked.
  size_t parked() const { return parked_.load(std::memory_order_relaxed); }
  void set_parked(size_t bytes) { parked_.store(bytes, std::memory_order_relaxed); }
  // Of the engine's: how much of `used` is about to be given back; then it was.
  size_t leaving() const { return leaving_.load(std::memory_order_relaxed); }
  void leave(size_t bytes) { leaving_.fetch_add(bytes, std::memory_order_relaxed); }
  void left(size_t bytes) { leaving_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  size_t in_memory() const {
    size_t all = used() + aside_.load(std::memory_order_relaxed);
    return all - std::min(all, spilled());
  }
  size_t memory_share() const { return memory_ - memory_ / 8; }

  Budget* engine_ = nullptr;
  size_t limit_ = 0;
  size_t memory_ = 0;
  std::shared_ptr<Spill> spill_;  // of the engine's; may be null
  std::atomic<size_t> spilled_{0};
  std::atomic<size_t> aside_{0};
  std::atomic<size_t> used_{0};
  std::atomic<size_t> parked_{0};
  std::atomic<size_t> leaving_{0};
};

}  // namespace mut::state
