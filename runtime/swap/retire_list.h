// Machine code that no version runs any more, and what else of a version is let go of beside the running
// thread, until no worker can be inside it (live-change.md 4.3).
//
// Why not only count owners: the last one to let go would unlink code in the middle of its rows, and a
// worker that is blocked in a read would keep the code that it ran last for as long as it waits.
// Ownership: shared owner of what is retired, until it is reclaimed.
// Threads: retire() from any; reclaim() from one at a time that is no worker; a Worker by its own thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace mut::runtime {

class RetireList {
 public:
  // One thread that runs kernels. A cache line of its own, as it is written at every batch.
  class alignas(64) Worker {
   public:
    explicit Worker(const RetireList& list) : list_(list) {}
    // A batch begins: a kernel that is looked up from now on stays until the next enter() or rest(). Where
    // others exchange kernels under a running worker, it is looked up by a sequentially consistent load.
    void enter() noexcept { seen_.store(list_.epoch_.load()); }
    // Until the next enter() no kernel is run: nothing waits for this worker.
    void rest() noexcept { seen_.store(resting); }

   private:
    friend class RetireList;
    const RetireList& list_;
    std::atomic<uint64_t> seen_{resting};  // epoch of the batch that is run
  };

  // Lives as long as the list.
  Worker& add_worker();
  // `code` was replaced everywhere already, by sequentially consistent stores. `version` of the script ran on
  // it; 0: none did.
  void retire(std::shared_ptr<void> code, uint64_t version) { add(std::move(code), version); }
  // The same for state, which to free takes its time too.
  void retire_state(std::shared_ptr<void> state) { add(std::move(state), 0); }
  // Lets go of what no worker can be inside of. Returns how many wait still.
  size_t reclaim();
  // The versions whose code waits.
  std::set<uint64_t> waiting();

 private:
  static constexpr uint64_t resting = UINT64_MAX;
  void add(std::shared_ptr<void> what, uint64_t version);
  struct Retired {
    std::shared_ptr<void> what;
    uint64_t version = 0;
    uint64_t epoch = 0;  // a batch that began in this one or later cannot have found it
  };
  std::atomic<uint64_t> epoch_{1};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<Retired> retired_;  // in order of epoch
};

}  // namespace mut::runtime
