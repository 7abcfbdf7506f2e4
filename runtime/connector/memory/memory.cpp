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
    if (closed_) return;
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

void TextQueue::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  pieces_.clear();
  first_used_ = waiting_bytes_ = 0;
}

bool TextQueue::is_closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
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
             std::unique_ptr<codec::Decoder> decoder, std::shared_ptr<DecodeThreads> threads)
      : env_(env),
        stream_(std::move(queue)),
        name_(std::move(name)),
        pump_(std::move(decoder), std::move(threads)) {}

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
  codec::Decoder* decoder() override { return pump_.decoder(); }
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

class BorrowedTextSource final : public SourceReader {
 public:
  BorrowedTextSource(env::Env& env, std::string_view text, std::string name,
                     std::unique_ptr<codec::Decoder> decoder)
      : env_(env), rest_(text), name_(std::move(name)), decoder_(std::move(decoder)) {}

  Poll poll(batch::Batch& batch) override {
    batch.set_input_name(name_);
    batch.set_first_position(position_);
    size_t window = read_bytes;
    while (!stopped_.load(std::memory_order_relaxed) && !rest_.empty() &&
           batch.row_count() < batch.row_capacity()) {
      bool at_end = window >= rest_.size();
      auto step = decoder_->decode(rest_.substr(0, window), at_end, env_.wall_ns(), batch);
      if (!step) {
        error_ = step.error().within(name_);
        return Poll::Failed;
      }
      rest_.remove_prefix(at_end && batch.row_count() < batch.row_capacity() ? rest_.size()
                                                                             : step.value().bytes_used);
      // A record longer than the window gets a larger one.
      window = step.value().bytes_used == 0 ? window * 2 : read_bytes;
    }
    position_ += batch.row_count();
    return batch.row_count() > 0 ? Poll::Ready : Poll::End;
  }
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    return decoder_->redeclare(std::move(record), time_field);
  }
  codec::Decoder* decoder() override { return decoder_.get(); }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }

 private:
  env::Env& env_;
  std::string_view rest_;
  std::string name_;
  std::unique_ptr<codec::Decoder> decoder_;
  uint64_t position_ = 0;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

std::unique_ptr<SourceReader> make_borrowed_text_source(env::Env& env, std::string_view text,
                                                        std::string name, codec::Format format,
                                                        const codec::DecodeOptions& options,
                                                        abi::TypeDescRef record) {
  return std::make_unique<BorrowedTextSource>(env, text, std::move(name),
                                              codec::make_decoder(format, std::move(record), options));
}

std::unique_ptr<SourceReader> make_text_source(env::Env& env, std::shared_ptr<TextQueue> queue,
                                               std::string name, codec::Format format,
                                               const codec::DecodeOptions& options, abi::TypeDescRef record,
                                               std::shared_ptr<DecodeThreads> threads) {
  return std::make_unique<TextSource>(env, std::move(queue), std::move(name),
                                      codec::make_decoder(format, std::move(record), options),
                                      std::move(threads));
}

}  // namespace mut::connector
