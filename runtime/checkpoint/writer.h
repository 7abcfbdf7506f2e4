// Writes checkpoints on a thread of its own, one after the other: rows go on meanwhile.
#pragma once
#include <atomic>
#include <memory>
#include <optional>

#include "runtime/checkpoint/state_dir.h"

namespace mut::checkpoint {

// Threads: one, that of the rows.
class Writer {
 public:
  // `wake` (may be null) is rung when one is written; it outlives this.
  Writer(env::Env& env, std::unique_ptr<StateDir> directory, env::EventCount* wake);
  // Waits for what is being written.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Before the first one.
  StateDir& directory() { return *directory_; }
  // Whether one is being written: what it names must stay.
  bool busy() const { return busy_.load(std::memory_order_acquire); }
  uint64_t next_number() const { return next_number_; }
  // Not while one is being written.
  void begin(Contents contents);
  struct Outcome {
    Status done{Unit{}};
    uint64_t number = 0;
    uint64_t written_bytes = 0;
    uint64_t named_bytes = 0;
    int64_t took_ns = 0;
    bool is_last = false;  // no further one can be written
  };
  // Of the one that was written last, once.
  std::optional<Outcome> take_outcome();
  // Until nothing is being written.
  void wait();

 private:
  void run();

  env::Env& env_;
  env::EventCount* wake_;
  std::unique_ptr<StateDir> directory_;
  uint64_t next_number_;
  std::unique_ptr<env::EventCount> asked_;
  std::unique_ptr<env::EventCount> done_;
  Contents contents_;               // of the writing thread while busy_
  std::optional<Outcome> outcome_;  // the same
  std::atomic<bool> busy_{false};
  std::atomic<bool> stop_{false};
  std::unique_ptr<env::Thread> thread_;  // the last: it uses all others
};

}  // namespace mut::checkpoint
