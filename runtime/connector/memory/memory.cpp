#include "runtime/connector/memory/memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "runtime/connector/record_pump.h"

namespace mut::connector {

void TextQueue::push(std::string text) {
  if (text.empty()) return;
  {
    std::lock_guard lock(mutex_);
    waiting_bytes_ += text.size();
    pieces_.push_back(std::move(text));
  }
  ring();
}

void TextQueue::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  ring();
}

void TextQueue::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    error_ = std::move(error);
  }
  ring();
}

size_t TextQueue::waiting_bytes() const {
  std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

Result<StreamStep> TextQueue::take(char* to, size_t bytes) {
  std::lock_guard lock(mutex_);
  size_t taken = 0;
  while (taken < bytes && !pieces_.empty()) {
    std::string& piece = pieces_.front();
    size_t part = std::min(bytes - taken, piece.size() - first_used_);
    memcpy(to + taken, piece.data() + first_used_, part);
    taken += part;
    first_used_ += part;
    if (first_used_ == piece.size()) {
      pieces_.pop_front();
      first_used_ = 0;
    }
  }
  waiting_bytes_ -= taken;
  if (taken > 0) return StreamStep{StreamStep::State::Data, taken};
  if (error_) return *error_;
  return StreamStep{finished_ ? StreamStep::State::End : StreamStep::State::Wait, 0};
}

namespace {

class QueueStream final : public ByteStream {
 public:
  explicit QueueStream(std::shared_ptr<TextQueue> queue) : queue_(std::move(queue)) {}
  Result<StreamStep> read(char* to, size_t bytes) override { return queue_->take(to, bytes); }

 private:
  std::shared_ptr<TextQueue> queue_;
};

class TextSource final : public SourceReader {
 public:
  TextSource(env::Env& env, std::shared_ptr<TextQueue> queue, std::string name,
             std::unique_ptr<codec::Decoder> decoder)
      : env_(env), stream_(std::move(queue)), name_(std::move(name)), pump_(std::move(decoder)) {}

  Poll poll(batch::Batch& batch) override {
    if (stopped_.load(std::memory_order_relaxed)) return Poll::End;
    batch.set_input_name(name_);
    auto filled = pump_.fill(stream_, env_.wall_ns(), batch);
    if (filled) return filled.value();
    error_ = filled.error().within(name_);
    return Poll::Failed;
  }
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    return pump_.redeclare(std::move(record), time_field);
  }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }

 private:
  env::Env& env_;
  QueueStream stream_;
  std::string name_;
  RecordPump pump_;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

std::unique_ptr<SourceReader> make_text_source(env::Env& env, std::shared_ptr<TextQueue> queue,
                                               std::string name, codec::Format format,
                                               const codec::DecodeOptions& options, abi::TypeDescRef record) {
  return std::make_unique<TextSource>(env, std::move(queue), std::move(name),
                                      codec::make_decoder(format, std::move(record), options));
}

}  // namespace mut::connector
