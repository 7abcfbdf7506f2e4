// The history on disk: JSON lines, only ever appended to, each chained to the one before (chain.h).
//
// What append() has returned for is durable. A write that fails is taken back, so that the next may succeed;
// after a failed sync nobody knows what the disk holds, and nothing is written any more.
// Threads: one at a time.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "mutstream/engine.h"
#include "runtime/env/env.h"

namespace mut::session {

// What a file says; versions of runs that are over are settled.
struct HistoryContent {
  std::deque<VersionRecord> newest;  // in order of versions
  uint64_t last_version = 0;
  uint64_t last_ran = 0;  // the newest version that ran; 0: none
  uint64_t lines = 0;
  std::string last_sum;
  uint64_t whole_bytes = 0;
  uint64_t torn_bytes = 0;  // behind the last line end
};
// Keeps the `limit` newest versions. Fails where the chain is broken, with the number of the line.
Result<HistoryContent> read_history_file(env::Env& env, const std::string& path, size_t limit);

// Of a file whose run is over: nothing in it runs or waits any more.
void settle_ended(HistoryContent& content);

class HistoryFile {
 public:
  // Makes the file when there is none; locks it; cuts a torn last line off.
  static Result<std::unique_ptr<HistoryFile>> open(env::Env& env, const std::string& path, size_t limit,
                                                   HistoryContent& content);
  // One line each, durable once this returns. On failure none of them is there.
  Status append(const std::vector<std::string>& bodies);

 private:
  HistoryFile(env::Env& env, std::string path, std::unique_ptr<env::OutputFile> file)
      : env_(env), path_(std::move(path)), file_(std::move(file)) {}

  env::Env& env_;
  std::string path_;
  std::unique_ptr<env::OutputFile> file_;
  uint64_t size_bytes_ = 0;
  std::string last_sum_;
  std::string broken_;  // why nothing is written any more
};

}  // namespace mut::session
