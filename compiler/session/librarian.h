// The thread that unlinks code which no version runs any more: never the one that runs rows, as taking a
// dylib apart costs it a pause.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>

#include "runtime/env/env.h"
#include "runtime/swap/retire_list.h"

namespace mut::session {

// Threads: notify() from any.
class Librarian {
 public:
  // `list` outlives it.
  Librarian(env::Env& env, runtime::RetireList& list);
  // What waits then goes with the list.
  ~Librarian();
  // Something was retired.
  void notify();

 private:
  void work();
  runtime::RetireList& list_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool stop_ = false;
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::session
