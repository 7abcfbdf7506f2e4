#include "runtime/connector/follow_up.h"

#include <utility>

namespace mut::connector {
namespace {

class FollowUp final : public SourceReader {
 public:
  FollowUp(std::unique_ptr<SourceReader> first, std::unique_ptr<SourceReader> next)
      : first_(std::move(first)), next_(std::move(next)) {
    first_->stop();
  }

  Poll poll(batch::Batch& batch) override {
    if (first_) {
      Poll polled = first_->poll(batch);
      if (polled == Poll::Ready || polled == Poll::Failed) return polled;
      first_ = nullptr;
      batch.clear();
    }
    return next_->poll(batch);
  }
  const Error& error() const override { return first_ ? first_->error() : next_->error(); }
  int64_t retry_after_ns() const override { return first_ ? 0 : next_->retry_after_ns(); }
  // `next` may have been opened by that record already; it is nothing new to it then.
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    Status done = first_ ? first_->redeclare(record, time_field) : Status(Unit{});
    return done ? next_->redeclare(std::move(record), time_field) : done;
  }
  size_t waiting_bytes() const override {
    return (first_ ? first_->waiting_bytes() : 0) + next_->waiting_bytes();
  }
  codec::Decoder* decoder() override { return first_ ? first_->decoder() : next_->decoder(); }
  void stop() override { next_->stop(); }
  bool replays() const override { return !first_ && next_->replays(); }
  SourcePlace place() const override { return next_->place(); }

 private:
  std::unique_ptr<SourceReader> first_;  // null when all of it was handed over
  std::unique_ptr<SourceReader> next_;
};

}  // namespace

std::unique_ptr<SourceReader> make_follow_up(std::unique_ptr<SourceReader> first,
                                             std::unique_ptr<SourceReader> next) {
  return std::make_unique<FollowUp>(std::move(first), std::move(next));
}

}  // namespace mut::connector
