// Groups of messages on disk, first in, first out.
#pragma once
#include <deque>
#include <memory>
#include <string>

#include "runtime/connector/message/subscription.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Files have no name while they are used: they go when the process does. One thread at a time.
class SpillFile {
 public:
  SpillFile(env::Env& env, std::string folder) : env_(env), folder_(std::move(folder)) {}

  bool empty() const { return groups_ == 0; }
  uint64_t bytes() const { return bytes_; }
  // Fails where the disk takes nothing, and nothing of the group is there then.
  Status push(const MessageGroup& group);
  // The oldest; not of an empty one.
  Result<MessageGroup> pop();

 private:
  static constexpr uint64_t segment_bytes_max = 64 * 1024 * 1024;
  struct Segment {
    std::unique_ptr<env::OutputFile> out;
    std::unique_ptr<env::InputFile> in;
    uint64_t written = 0;
    uint64_t read = 0;
  };
  Status begin_segment();
  Status read(char* to, size_t bytes);
  std::string_view part_at(size_t& at) const;

  env::Env& env_;
  std::string folder_;
  std::deque<Segment> segments_;
  uint64_t groups_ = 0;
  uint64_t bytes_ = 0;
  std::string text_;
};

}  // namespace mut::connector
