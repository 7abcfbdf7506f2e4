// Names of compiled code, for `perf`: as lines of a map, or as a jitdump, which has the code too and knows
// when it came. Formats: tools/perf/Documentation/jit-interface.txt and jitdump-specification.txt of Linux.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi/result.h"

namespace mut::session {

// A piece of code that is linked.
struct NamedCode {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string name;  // "mut:fraud:v3:where@12"
  std::string file;  // of the script
  uint32_t line = 0;
};

// Threads: one at a time.
class PerfFile {
 public:
  virtual ~PerfFile() = default;  // closes it; it stays, since perf reads it when the process is gone
  // What cannot be written any more is left out.
  virtual void add(const std::vector<NamedCode>& code) = 0;
};

// /tmp/perf-PID.map. Fails where somebody else's file lies there, or another engine of this process writes
// it.
Result<std::unique_ptr<PerfFile>> open_perf_map();
// jit-PID.dump in that folder; empty: the one that the process runs in. Fails as a map does.
Result<std::unique_ptr<PerfFile>> open_jitdump(const std::string& folder);

}  // namespace mut::session
