#include "runtime/checkpoint/writer.h"

#include <utility>

#include "runtime/abi/check.h"

namespace mut::checkpoint {

Writer::Writer(env::Env& env, std::unique_ptr<StateDir> directory, env::EventCount* wake)
    : env_(env),
      wake_(wake),
      directory_(std::move(directory)),
      next_number_(directory_->next_number()),
      asked_(env.make_event_count()),
      done_(env.make_event_count()),
      thread_(env.start_thread("mut-checkpoint", [this] { run(); })) {}

Writer::~Writer() {
  wait();
  stop_.store(true);
  asked_->notify();
  thread_->join();
}

void Writer::run() {
  while (true) {
    uint64_t seen = asked_->current();
    if (stop_.load()) return;
    if (!busy_.load(std::memory_order_acquire)) {
      asked_->wait(seen, -1);
      continue;
    }
    int64_t begin = env_.monotonic_ns();
    Outcome outcome;
    outcome.number = contents_.number;
    outcome.done = directory_->write(contents_);
    outcome.written_bytes = directory_->written_bytes();
    outcome.named_bytes = directory_->named_bytes();
    outcome.took_ns = env_.monotonic_ns() - begin;
    outcome.is_last = directory_->is_broken();
    outcome_ = std::move(outcome);
    contents_ = {};
    busy_.store(false, std::memory_order_release);
    done_->notify();
    if (wake_ != nullptr) wake_->notify();
  }
}

void Writer::begin(Contents contents) {
  MUT_CHECK(!busy(), "one checkpoint is written at a time");
  contents_ = std::move(contents);
  next_number_ = contents_.number + 1;
  busy_.store(true, std::memory_order_release);
  asked_->notify();
}

std::optional<Writer::Outcome> Writer::take_outcome() {
  if (busy()) return std::nullopt;
  return std::exchange(outcome_, std::nullopt);
}

void Writer::wait() {
  while (true) {
    uint64_t seen = done_->current();
    if (!busy()) return;
    done_->wait(seen, -1);
  }
}

}  // namespace mut::checkpoint
