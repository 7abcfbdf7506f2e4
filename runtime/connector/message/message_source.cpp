#include "runtime/connector/message/message_source.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "runtime/connector/source_reader.h"

namespace mut::connector {
namespace {

class MessageSource final : public SourceReader {
 public:
  MessageSource(env::Env& env, std::unique_ptr<Subscription> subscription,
                std::unique_ptr<codec::Decoder> decoder)
      : env_(env), subscription_(std::move(subscription)), decoder_(std::move(decoder)) {}

  // Called again when the rows that were handed over have run.
  Poll poll(batch::Batch& batch) override {
    if (!by_checkpoints_) acknowledge(records_);
    while (batch.row_count() == 0) {
      if (next_ == group_.size()) {
        Poll came = take_group();
        if (came != Poll::Ready) return came;
      }
      decode_group(batch);
      if (next_ == group_.size()) taken_.push_back({records_ + batch.row_count(), messages_});
    }
    batch.set_input_name(group_.from());
    batch.set_first_position(first_record_ + records_);
    last_rows_ = batch.row_count();
    records_ += last_rows_;
    of_group_ += last_rows_;
    return Poll::Ready;
  }

  const Error& error() const override { return subscription_->error(); }
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    return decoder_->redeclare(std::move(record), time_field);
  }
  int64_t retry_after_ns() const override { return subscription_->retry_after_ns(); }
  size_t waiting_bytes() const override { return subscription_->waiting_bytes(); }
  uint64_t dropped_records() const override { return subscription_->dropped(); }
  codec::Decoder* decoder() override { return decoder_.get(); }
  void stop() override { subscription_->stop(); }

  void take_until_durable() override { by_checkpoints_ = true; }
  // Groups as a whole.
  void acknowledge(uint64_t records) override {
    uint64_t messages = acknowledged_;
    while (!taken_.empty() && taken_.front().records <= records) {
      messages = taken_.front().messages;
      taken_.pop_front();
    }
    if (messages == acknowledged_) return;
    acknowledged_ = messages;
    subscription_->acknowledge(messages);
  }

  bool replays() const override { return subscription_->replays(); }
  SourcePlace place() const override {
    SourcePlace out;
    out.record = out.first = first_record_ + records_ - of_group_;
    out.skip = of_group_ - last_rows_;
    out.cursor = subscription_->cursor();
    return out;
  }
  Status resume(const SourcePlace& place) override {
    first_record_ = place.record;
    return subscription_->resume(place.cursor);
  }

 private:
  struct Taken {
    uint64_t records = 0;
    uint64_t messages = 0;
  };

  Poll take_group() {
    group_.begin("");
    next_ = used_ = 0;
    of_group_ = last_rows_ = 0;
    arrival_ns_ = env_.wall_ns();
    Poll came = subscription_->take(group_);
    messages_ += group_.size();
    return came;
  }

  void decode_group(batch::Batch& batch) {
    batch.set_arrival(arrival_ns_);
    batch.hold(group_.buffer());
    while (next_ < group_.size() && batch.row_count() < batch.row_capacity()) decode_message(batch);
  }

  // Of one message, as much as there is room for.
  void decode_message(batch::Batch& batch) {
    std::string_view message = group_.message(next_);
    std::string_view left = group_.line(next_).substr(used_);
    auto number = static_cast<uint32_t>(next_ + 1);
    if (used_ == 0) {
      decoder_->start_input();
      decoder_->go_on_at(number);
    }
    std::string why(group_.bad(next_));
    if (why.empty() && message.empty()) {
      why = "the message is empty";
    } else if (why.empty()) {
      auto step = decoder_->decode(left, true, arrival_ns_, batch);
      if (step) {
        used_ += step.value().bytes_used;
        // What is not used while there is room would never be.
        if (used_ < message.size() && batch.row_count() == batch.row_capacity()) return;
      } else {
        why = step.error().message;
      }
    }
    if (!why.empty()) {
      auto raw_size = static_cast<uint32_t>(std::min(message.size(), codec::kept_raw_bytes));
      batch.finish_bad_row({message.data(), raw_size, number}, "decode", why);
    }
    ++next_;
    used_ = 0;
  }

  env::Env& env_;
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<codec::Decoder> decoder_;
  MessageGroup group_;
  size_t next_ = 0;            // message of the group that is decoded
  size_t used_ = 0;            // bytes of it
  int64_t arrival_ns_ = 0;     // of the group
  uint64_t first_record_ = 0;  // number of the first that this run has had
  uint64_t records_ = 0;       // handed over
  uint64_t of_group_ = 0;      // of these, of the group
  uint64_t last_rows_ = 0;     // of these, by the last poll()
  uint64_t messages_ = 0;      // taken
  uint64_t acknowledged_ = 0;  // of these
  std::deque<Taken> taken_;    // groups that are not acknowledged
  bool by_checkpoints_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> make_message_source(env::Env& env, std::unique_ptr<Subscription> subscription,
                                                  codec::Format format, abi::TypeDescRef record,
                                                  const codec::DecodeOptions& options) {
  return std::make_unique<MessageSource>(env, std::move(subscription),
                                         codec::make_decoder(format, std::move(record), options));
}

}  // namespace mut::connector
