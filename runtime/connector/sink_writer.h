// What every sink of text offers to the shard that writes to it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::connector {

// Text waits at most this long in the sink while it is written to; an idle shard calls flush().
constexpr int64_t flush_interval_ns = 100'000'000;

enum class SinkStart : uint8_t {
  Replace,  // what an earlier run left goes
  Append,
};

// Lives as long as the run: an edit may close it and a later one write on. hold() and release() from any
// thread, the rest from one at a time.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  // Opens what is not open and changes nothing of it: an edit that may never run has tried its sinks.
  // Until release(), close() keeps the output open.
  virtual Status hold() { return Unit{}; }
  virtual void release() {}
  // From here on it is written to. What this run has written stays, whatever `start` says.
  virtual Status begin(SinkStart) { return Unit{}; }
  // Takes whole lines. After an error the sink is only closed.
  virtual Status write(std::string_view text) = 0;
  // Hands everything to the world.
  virtual Status flush() = 0;
  // Flushes and says whether the last bytes arrived. Only begin() may follow.
  virtual Status close() = 0;
  // Whether the output is new, so that a header belongs on top. Known after begin().
  virtual bool wants_header() const { return true; }
  // What begin() with Replace takes away ("replaces out.jsonl, 1024 bytes"); may be empty.
  virtual std::string notice() const { return ""; }
};

// hold() now, release() when the last copy goes.
inline Result<std::shared_ptr<void>> hold_sink(const std::shared_ptr<SinkWriter>& sink) {
  Status held = sink->hold();
  if (!held) return held.error();
  return std::shared_ptr<void>(sink.get(), [sink](void*) { sink->release(); });
}

}  // namespace mut::connector
