#include "runtime/connector/ahead/decode_threads.h"

#include <string>
#include <utility>

namespace mut::connector {

DecodeThreads::~DecodeThreads() {
  over_.store(true);
  posted_->notify();
  for (const auto& thread : threads_) thread->join();
}

void DecodeThreads::post(std::shared_ptr<DecodeTask> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    while (threads_.size() < count_) {
      std::string name = "mut-decode-" + std::to_string(threads_.size());
      threads_.push_back(env_.start_thread(std::move(name), [this] { serve(); }));
    }
  }
  posted_->notify();
}

std::shared_ptr<DecodeTask> DecodeThreads::take() {
  std::lock_guard lock(mutex_);
  if (tasks_.empty()) return nullptr;
  std::shared_ptr<DecodeTask> out = std::move(tasks_.front());
  tasks_.pop_front();
  return out;
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
