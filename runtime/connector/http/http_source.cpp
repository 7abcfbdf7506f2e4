#include "runtime/connector/http/http_source.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <utility>

#include "runtime/connector/record_pump.h"

namespace mut::connector {
namespace {

// The body of one request after the other.
class BodyStream final : public ByteStream {
 public:
  void begin(std::string_view body) { left_ = body; }
  Result<StreamStep> read(char* to, size_t bytes) override {
    if (left_.empty()) return StreamStep{StreamStep::State::End, 0};
    size_t part = std::min(bytes, left_.size());
    memcpy(to, left_.data(), part);
    left_.remove_prefix(part);
    return StreamStep{StreamStep::State::Data, part};
  }

 private:
  std::string_view left_;
};

class HttpSource final : public SourceReader {
 public:
  HttpSource(env::Env& env, const HttpSourceOptions& options, abi::TypeDescRef record, env::EventCount* wake,
             std::shared_ptr<Notices> notices)
      : env_(env),
        pump_(codec::make_decoder(options.format, std::move(record), options.decode)),
        inbox_(env, options.inbox, wake, std::move(notices)) {}

  Status open() { return inbox_.open(); }

  // Called again when the rows that were handed over have run.
  Poll poll(batch::Batch& batch) override {
    // Asked before what waits is: nothing comes behind it.
    bool stopped = stopped_.load();
    while (true) {
      if (!post_ && !begin_next()) return stopped ? Poll::End : Poll::Wait;
      batch.set_input_name("http " + post_->peer);
      auto filled = pump_.fill(body_, env_.wall_ns(), batch);
      if (filled && filled.value() == Poll::Ready) {
        count(batch);
        return Poll::Ready;
      }
      if (filled) {
        finish_post();
      } else {
        std::string before =
            records_ > 0 ? "; the " + std::to_string(records_) + " records before were taken" : "";
        inbox_.refuse(*post_, "the body does not fit the source: " + filled.error().message + before);
      }
      post_.reset();
    }
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    // The columns of a body that has been answered bind nobody.
    if (!post_) pump_.start_input();
    return pump_.redeclare(std::move(record), time_field);
  }
  codec::Decoder* decoder() override { return pump_.decoder(); }
  size_t waiting_bytes() const override { return inbox_.waiting_bytes(); }
  void take_until_durable() override { until_durable_ = true; }
  void acknowledge(uint64_t records) override {
    durable_ = std::max(durable_, records);
    while (!run_.empty() && run_.front().end <= durable_) {
      inbox_.accept(run_.front().post, run_.front().records, run_.front().failed);
      run_.pop_front();
    }
  }
  bool is_waited_for() const override { return !run_.empty(); }
  AfterCrash after_crash() const override {
    return until_durable_ ? AfterCrash::SentAgain : AfterCrash::Lost;
  }
  const Error& error() const override { return error_; }
  void stop() override {
    inbox_.stop();
    stopped_.store(true);
  }

 private:
  bool begin_next() {
    post_ = inbox_.take();
    if (!post_) return false;
    pump_.start_input();
    body_.begin(post_->body);
    records_ = failed_ = 0;
    return true;
  }

  // All its rows have run.
  void finish_post() {
    if (!until_durable_) return inbox_.accept(*post_, records_, failed_);
    run_.push_back({std::move(*post_), next_position_, records_, failed_});
    acknowledge(durable_);
  }

  void count(batch::Batch& batch) {
    batch.set_first_position(next_position_);
    next_position_ += batch.row_count();
    records_ += batch.row_count();
    failed_ += batch.view().error_count;
  }

  env::Env& env_;
  RecordPump pump_;
  BodyStream body_;
  std::optional<Post> post_;  // that is being taken
  uint64_t records_ = 0;      // of it
  uint64_t failed_ = 0;
  uint64_t next_position_ = 0;
  // Requests whose rows have run, until these are durable.
  struct Run {
    Post post;
    uint64_t end = 0;  // records up to its last one
    uint64_t records = 0;
    uint64_t failed = 0;
  };
  std::deque<Run> run_;
  uint64_t durable_ = 0;  // records
  bool until_durable_ = false;
  std::atomic<bool> stopped_{false};
  Error error_;
  HttpInbox inbox_;
};

}  // namespace

Result<std::unique_ptr<SourceReader>> open_http_source(env::Env& env, HttpSourceOptions options,
                                                       abi::TypeDescRef record, env::EventCount* wake,
                                                       std::shared_ptr<Notices> notices) {
  auto source = std::make_unique<HttpSource>(env, options, std::move(record), wake, std::move(notices));
  Status opened = source->open();
  if (!opened) return opened.error();
  return std::unique_ptr<SourceReader>(std::move(source));
}

}  // namespace mut::connector
