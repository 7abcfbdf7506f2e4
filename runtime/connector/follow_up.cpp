#include "runtime/connector/follow_up.h"

#include <algorithm>
#include <utility>

namespace mut::connector {
namespace {

class FollowUp final : public SourceReader {
 public:
  FollowUp(std::unique_ptr<SourceReader> first, std::unique_ptr<SourceReader> next, uint64_t handed_over)
      : first_(std::move(first)), next_(std::move(next)), of_first_(handed_over) {
    first_->stop();
  }

  Poll poll(batch::Batch& batch) override {
    if (first_) {
      Poll polled = first_->poll(batch);
      if (polled == Poll::Ready) of_first_ += batch.row_count();
      if (polled == Poll::Ready || polled == Poll::Failed) return polled;
      former_ = std::move(first_);
      if (!until_durable_) former_ = nullptr;
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
  void take_until_durable() override {
    until_durable_ = true;
    waits_for_sinks_ = waits_for_sinks();
    if (first_) first_->take_until_durable();
    next_->take_until_durable();
  }
  void acknowledge(uint64_t records) override {
    if (first_) return first_->acknowledge(std::min(records, of_first_));
    if (former_) former_->acknowledge(std::min(records, of_first_));
    if (records < of_first_) return;
    former_ = nullptr;
    next_->acknowledge(records - of_first_);
  }
  bool is_waited_for() const override {
    return (first_ && first_->is_waited_for()) || (former_ && former_->is_waited_for()) ||
           next_->is_waited_for();
  }
  // Also when the one that wanted it has gone: the other counts on it by then.
  bool waits_for_sinks() const override {
    return waits_for_sinks_ || (first_ && first_->waits_for_sinks()) || next_->waits_for_sinks();
  }
  bool replays() const override { return !first_ && next_->replays(); }
  SourcePlace place() const override { return next_->place(); }

 private:
  std::unique_ptr<SourceReader> first_;   // null when all of it was handed over
  std::unique_ptr<SourceReader> former_;  // the same, until all of that is durable
  std::unique_ptr<SourceReader> next_;
  uint64_t of_first_;  // records that it has handed over
  bool until_durable_ = false;
  bool waits_for_sinks_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> make_follow_up(std::unique_ptr<SourceReader> first,
                                             std::unique_ptr<SourceReader> next, uint64_t handed_over) {
  return std::make_unique<FollowUp>(std::move(first), std::move(next), handed_over);
}

}  // namespace mut::connector
