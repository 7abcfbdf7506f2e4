// What every sink of text offers to the shard that writes to it.
#pragma once
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::connector {

// Text waits at most this long in the sink while it is written to; an idle shard calls flush().
constexpr int64_t flush_interval_ns = 100'000'000;

// One thread at a time. After an error the sink is only closed.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  // Takes whole lines.
  virtual Status write(std::string_view text) = 0;
  // Hands everything to the world.
  virtual Status flush() = 0;
  // Flushes and says whether the last bytes arrived. Nothing may follow.
  virtual Status close() = 0;
  // Whether the output is new, so that a header belongs on top.
  virtual bool wants_header() const { return true; }
  // What the user should be told about opening it ("replaces out.jsonl, 1024 bytes"); may be empty.
  virtual std::string notice() const { return ""; }
};

}  // namespace mut::connector
