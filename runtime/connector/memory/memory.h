// Text from and to the program itself: tests, hosts, the REPL.
#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/decode_threads.h"
#include "runtime/connector/byte_stream.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Text that another thread pushes. Threads: any, all methods.
class TextQueue {
 public:
  // `wake` is rung when text comes; may be null.
  explicit TextQueue(env::EventCount* wake) : wake_(wake) {}

  void push(std::string text);
  void finish();
  void fail(Error error);
  // Who takes wants no more: what waits and what is still pushed goes nowhere.
  void close();
  bool is_closed() const;
  // Bytes pushed and not read yet.
  size_t waiting_bytes() const;
  // As of ByteStream::read.
  Result<StreamStep> take(char* to, size_t bytes);

 private:
  void ring() {
    if (wake_) wake_->notify();
  }

  mutable std::mutex mutex_;
  std::deque<std::string> pieces_;
  size_t first_used_ = 0;  // bytes of the first piece that are read
  size_t waiting_bytes_ = 0;
  bool finished_ = false;
  bool closed_ = false;
  std::optional<Error> error_;
  env::EventCount* wake_;
};

// A source that decodes what is pushed into `queue`. `threads`: null: by who polls it.
std::unique_ptr<SourceReader> make_text_source(env::Env& env, std::shared_ptr<TextQueue> queue,
                                               std::string name, codec::Format format,
                                               const codec::DecodeOptions& options, abi::TypeDescRef record,
                                               std::shared_ptr<DecodeThreads> threads);

// A source that decodes text where it lies. The text and batch::ReadBuffer::slack_bytes behind it stay
// readable while the reader and its batches live.
std::unique_ptr<SourceReader> make_borrowed_text_source(env::Env& env, std::string_view text,
                                                        std::string name, codec::Format format,
                                                        const codec::DecodeOptions& options,
                                                        abi::TypeDescRef record);

// Keeps what is written. Threads: text() from any.
class MemorySink final : public SinkWriter {
 public:
  Status write(std::string_view text) override {
    std::lock_guard lock(mutex_);
    text_ += text;
    return Unit{};
  }
  Status flush() override { return Unit{}; }
  Status close() override { return Unit{}; }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace mut::connector
