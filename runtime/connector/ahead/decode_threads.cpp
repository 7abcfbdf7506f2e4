#include "runtime/connector/ahead/decode_threads.h"

#include <string>
#include <utility>

namespace mut::connector {

DecodeThreads::~DecodeThreads() {
  over_.store(true);
  posted_->notify();
  for (const auto& thread : threads_) thread->join();
}

void DecodeThreads::post(const std::shared_ptr<DecodeTask>& task) {
  {
    std::lock_guard lock(mutex_);
    // What the shard has done itself, where the threads get no processor.
    while (!tasks_.empty() && tasks_.front().expired()) tasks_.pop_front();
    tasks_.push_back(task);
    while (threads_.size() < count_) {
      std::string name = "mut-decode-" + std::to_string(threads_.size());
      threads_.push_back(env_.start_thread(std::move(name), [this] { serve(); }));
    }
  }
  posted_->notify();
}

// Null: there is none.
std::shared_ptr<DecodeTask> DecodeThreads::take() {
  std::lock_guard lock(mutex_);
  while (!tasks_.empty()) {
    std::shared_ptr<DecodeTask> out = tasks_.front().lock();
    tasks_.pop_front();
    if (out) return out;
  }
  return nullptr;
}

void DecodeThreads::serve() {
  while (true) {
    uint64_t seen = posted_->current();
    if (over_.load()) return;
    if (std::shared_ptr<DecodeTask> task = take()) {
      task->run_unless_begun();
    } else {
      posted_->wait(seen, -1);
    }
  }
}

}  // namespace mut::connector
