#include "compiler/session/librarian.h"

#include <chrono>

namespace mut::session {
namespace {

// A worker passes a batch boundary every few milliseconds at most; nobody waits for the memory.
constexpr auto look_again = std::chrono::milliseconds(2);

}  // namespace

Librarian::Librarian(env::Env& env, runtime::RetireList& list)
    : list_(list), thread_(env.start_thread("mut-librarian", [this] { work(); })) {}

Librarian::~Librarian() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

void Librarian::notify() {
  {
    std::lock_guard lock(mutex_);
    asked_ = true;
  }
  changed_.notify_all();
}

void Librarian::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return asked_ || stop_; });
    asked_ = false;
    while (!stop_) {
      lock.unlock();
      size_t waiting = list_.reclaim();
      lock.lock();
      if (waiting == 0) break;
      changed_.wait_for(lock, look_again, [this] { return stop_; });
    }
    if (stop_) return;
  }
}

}  // namespace mut::session
