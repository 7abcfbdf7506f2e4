// A record of a version in one piece of memory. One of a script of some twenty stages is a hundred small
// texts, 10 KB in all; a thousand of them among what an edit needs for a moment leave holes everywhere.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "mutstream/engine.h"

struct ZSTD_CCtx_s;

namespace mut::session {

// Threads: one at a time.
class RecordPacker {
 public:
  RecordPacker();
  ~RecordPacker();
  // For this process only: numbers stand as they do in memory.
  std::string pack(const VersionRecord& record);
  // Of what pack() has made; anything else aborts.
  static VersionRecord unpack(std::string_view packed);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::string fields_;  // before they are compressed; kept for its capacity
};

}  // namespace mut::session
