// A tap while it lives: rows go in on the thread that runs, and out wherever somebody looks.
#pragma once
#include <deque>
#include <mutex>
#include <string>

#include "compiler/session/program.h"
#include "mutstream/inspect.h"
#include "runtime/codec/encoder.h"

namespace mut::session {

class LiveTap final : public Tap {
 public:
  LiveTap(TapStream stream, TapRequest request)
      : stream_(std::move(stream)), request_(std::move(request)), ready_(request_.ready) {}

  TapRows take() override;
  const TapStream& stream() const { return stream_; }
  bool ended() const;
  // The thread that runs: rows of one sink, `stride` bytes apart. Never waits for who takes them.
  void receive(const abi::TypeDesc& record, const char* rows, uint64_t count, uint64_t stride,
               uint64_t version);
  // Nothing comes any more. The first reason counts.
  void end(std::string reason);
  // Whoever was told when rows wait may go.
  void silence();

 private:
  void ring();

  const TapStream stream_;
  const TapRequest request_;
  std::mutex ready_mutex_;
  std::function<void()> ready_;  // null once silenced
  text::Buffer text_;            // of the thread that runs
  mutable std::mutex mutex_;
  std::deque<TapRow> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t given_ = 0;
  uint64_t lost_ = 0;
  std::string ended_;  // why; empty: it lives
};

// The declaration of the stream of a tap, or what is wrong with what was asked for.
Result<std::string> tap_text(const TapRequest& request);

}  // namespace mut::session
