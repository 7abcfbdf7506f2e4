#include "runtime/connector/stdio/stdio.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "runtime/connector/memory/memory.h"
#include "runtime/connector/record_pump.h"
#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// Read ahead of the shard at most, bytes.
constexpr size_t ahead_bytes_max = 4 * read_bytes;
// How soon the reading thread notices that it is to stop, nanoseconds.
constexpr int64_t stop_check_ns = 50'000'000;

class LiveSource final : public SourceReader {
 public:
  LiveSource(env::Env& env, std::unique_ptr<env::InputFile> file, const std::string& name,
             codec::Format format, const codec::DecodeOptions& options, abi::TypeDescRef record,
             env::EventCount* wake, std::shared_ptr<DecodeThreads> threads)
      : file_(std::move(file)),
        queue_(std::make_shared<TextQueue>(wake)),
        taken_(env.make_event_count()),
        decoded_(
            make_text_source(env, queue_, name, format, options, std::move(record), std::move(threads))) {
    thread_ = env.start_thread("mut-" + name, [this] { read_ahead(); });
  }
  ~LiveSource() override {
    stopped_.store(true);
    taken_->notify();
  }

  Poll poll(batch::Batch& batch) override {
    Poll poll = decoded_->poll(batch);
    taken_->notify();
    return poll;
  }
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    return decoded_->redeclare(std::move(record), time_field);
  }
  size_t waiting_bytes() const override { return queue_->waiting_bytes(); }
  codec::Decoder* decoder() override { return decoded_->decoder(); }
  const Error& error() const override { return decoded_->error(); }
  void stop() override {
    stopped_.store(true);
    taken_->notify();
    decoded_->stop();
  }

 private:
  void read_ahead() {
    env::Does reads(Work::Decode);
    std::string piece(read_bytes, '\0');
    while (!stopped_.load()) {
      uint64_t seen = taken_->current();
      if (queue_->waiting_bytes() >= ahead_bytes_max) {
        taken_->wait(seen, stop_check_ns);
        continue;
      }
      if (!file_->ready(stop_check_ns)) continue;
      auto got = file_->read(piece.data(), piece.size());
      if (!got) return queue_->fail(got.error());
      if (got.value() == 0) return queue_->finish();
      // A line that comes alone is copied: a buffer for each would be 256 KiB to clear, and to keep.
      if (got.value() < read_bytes / 4) {
        queue_->push(piece.substr(0, got.value()));
        continue;
      }
      piece.resize(got.value());
      queue_->push(std::exchange(piece, std::string(read_bytes, '\0')));
    }
    queue_->finish();
  }

  std::unique_ptr<env::InputFile> file_;
  std::shared_ptr<TextQueue> queue_;
  std::unique_ptr<env::EventCount> taken_;
  std::unique_ptr<SourceReader> decoded_;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<env::Thread> thread_;  // last: joins before the rest goes
};

}  // namespace

std::unique_ptr<SourceReader> make_live_source(env::Env& env, std::unique_ptr<env::InputFile> file,
                                               std::string name, codec::Format format,
                                               const codec::DecodeOptions& options, abi::TypeDescRef record,
                                               env::EventCount* wake,
                                               std::shared_ptr<DecodeThreads> threads) {
  return std::make_unique<LiveSource>(env, std::move(file), name, format, options, std::move(record), wake,
                                      std::move(threads));
}

std::unique_ptr<SourceReader> open_stdin_source(env::Env& env, codec::Format format,
                                                const codec::DecodeOptions& options, abi::TypeDescRef record,
                                                env::EventCount* wake,
                                                std::shared_ptr<DecodeThreads> threads) {
  return make_live_source(env, env.standard_input(), "stdin", format, options, std::move(record), wake,
                          std::move(threads));
}

}  // namespace mut::connector
