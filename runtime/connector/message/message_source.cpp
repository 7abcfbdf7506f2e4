#include "runtime/connector/message/message_source.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>
#include <optional>
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

  const Error& error() const override { return error_.message.empty() ? subscription_->error() : error_; }
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

  bool is_waited_for() const override { return subscription_->is_waited_for(); }
  bool waits_for_sinks() const override { return subscription_->is_given_again(); }
  AfterCrash after_crash() const override {
    return subscription_->is_given_again() ? AfterCrash::GivenAgain : SourceReader::after_crash();
  }

  bool replays() const override { return subscription_->replays(); }
  SourcePlace place() const override {
    SourcePlace out;
    out.record = out.first = first_record_ + records_ - of_group_;
    out.skip = of_group_ - last_rows_;
    out.cursor = group_text() + (group_cursor_.empty() ? subscription_->cursor() : group_cursor_);
    return out;
  }
  Status resume(const SourcePlace& place) override {
    first_record_ = place.record;
    std::string_view text = place.cursor;
    Expected expected;
    bool fine = read_number(text, expected.messages) && read_number(text, expected.digest);
    if (!fine) return Error{"`" + place.cursor + "` is no place in it"};
    expected.cursor = text;
    Status went = subscription_->resume(expected.cursor);
    if (went && place.skip > 0 && expected.messages > 0) expected_ = std::move(expected);
    return went;
  }

 private:
  // The group that a run before had begun.
  struct Expected {
    uint64_t messages = 0;
    uint64_t digest = 0;
    std::string cursor;  // where it begins
  };
  struct Taken {
    uint64_t records = 0;
    uint64_t messages = 0;
  };

  Poll take_group() {
    if (expected_) return take_expected();
    group_.begin("");
    group_cursor_.clear();
    digest_.reset();
    next_ = used_ = 0;
    of_group_ = last_rows_ = 0;
    arrival_ns_ = env_.wall_ns();
    Poll came = subscription_->take(group_);
    messages_ += group_.size();
    return came;
  }

  // The group that a run before had begun, as a whole: of others nobody knows which of its records were run.
  Poll take_expected() {
    while (gathered_.size() < expected_->messages) {
      MessageGroup part;
      Poll came = subscription_->take(part);
      if (came != Poll::Ready) return came;
      if (gathered_.size() == 0) gathered_.begin(part.from());
      for (size_t i = 0; i < part.size(); ++i) {
        if (part.bad(i).empty()) gathered_.add(part.message(i));
        if (!part.bad(i).empty()) gathered_.add_bad(part.message(i), std::string(part.bad(i)));
      }
      messages_ += part.size();
    }
    if (digest_of(gathered_, expected_->messages) != expected_->digest) {
      error_ = Error{gathered_.from() +
                     ": the messages that were read last are not what they were, so that nobody knows "
                     "which of these have been run: remove the directory of the state to begin anew"};
      return Poll::Failed;
    }
    group_ = std::exchange(gathered_, {});
    group_cursor_ = std::move(expected_->cursor);
    expected_.reset();
    digest_.reset();
    next_ = used_ = 0;
    of_group_ = last_rows_ = 0;
    arrival_ns_ = env_.wall_ns();
    return Poll::Ready;
  }

  // "100 81985529216486895 ": how many messages the group has, and what they are.
  std::string group_text() const {
    if (!digest_) digest_ = digest_of(group_, group_.size());
    return std::to_string(group_.size()) + " " + std::to_string(*digest_) + " ";
  }
  static bool read_number(std::string_view& text, uint64_t& to) {
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (failed != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
    return true;
  }
  // Of the first so many.
  static uint64_t digest_of(const MessageGroup& group, uint64_t messages) {
    uint64_t out = messages;
    for (uint64_t i = 0; i < messages; ++i) {
      std::string_view message = group.message(i);
      out = mixed(out, message.size());
      for (; message.size() >= sizeof(uint64_t); message.remove_prefix(sizeof(uint64_t))) {
        uint64_t word = 0;
        memcpy(&word, message.data(), sizeof(word));
        out = mixed(out, word);
      }
      uint64_t rest = 0;
      memcpy(&rest, message.data(), message.size());
      out = mixed(out, rest);
    }
    return out;
  }
  static uint64_t mixed(uint64_t digest, uint64_t word) {
    digest = (digest ^ word) * 0x9e3779b97f4a7c15U;
    return digest ^ digest >> 32U;
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
  std::optional<Expected> expected_;
  MessageGroup gathered_;                   // of it, so far
  std::string group_cursor_;                // of a group that came in several; else empty
  mutable std::optional<uint64_t> digest_;  // of the group, once somebody asked
  Error error_;
};

}  // namespace

std::unique_ptr<SourceReader> make_message_source(env::Env& env, std::unique_ptr<Subscription> subscription,
                                                  codec::Format format, abi::TypeDescRef record,
                                                  const codec::DecodeOptions& options) {
  return std::make_unique<MessageSource>(env, std::move(subscription),
                                         codec::make_decoder(format, std::move(record), options));
}

}  // namespace mut::connector
