#include "runtime/connector/overflow/spill_file.h"

#include <cstring>
#include <utility>

namespace mut::connector {
namespace {

struct Head {
  uint64_t text_bytes = 0;
  uint64_t from_bytes = 0;
  uint64_t messages = 0;
};

}  // namespace

Status SpillFile::begin_segment() {
  std::string path = folder_ + "/mut-spill-" + std::to_string(env_.random_seed());
  // What fails is cut off: the next write goes to the end.
  auto out = env_.open_output(path, env::OpenMode::Append);
  if (!out) return out.error();
  auto in = env_.open_input(path);
  (void)env_.remove_file(path);
  if (!in) return in.error();
  segments_.push_back({std::move(out).value(), std::move(in).value()});
  return Unit{};
}

Status SpillFile::push(const MessageGroup& group) {
  if (segments_.empty() || segments_.back().written >= segment_bytes_max) {
    Status begun = begin_segment();
    if (!begun) return begun;
  }
  Head head{0, group.from().size(), group.size()};
  for (size_t i = 0; i < group.size(); ++i)
    head.text_bytes += 2 * sizeof(uint64_t) + group.message(i).size() + group.bad(i).size();
  text_.assign(reinterpret_cast<const char*>(&head), sizeof(head));
  text_ += group.from();
  for (size_t i = 0; i < group.size(); ++i) {
    for (std::string_view part : {group.message(i), group.bad(i)}) {
      uint64_t size = part.size();
      text_.append(reinterpret_cast<const char*>(&size), sizeof(size));
      text_ += part;
    }
  }
  Segment& last = segments_.back();
  Status wrote = last.out->write(text_);
  if (!wrote) {
    // A part of it may be there.
    (void)last.out->truncate(last.written);
    return wrote;
  }
  last.written += text_.size();
  bytes_ += text_.size();
  ++groups_;
  return Unit{};
}

Status SpillFile::read(char* to, size_t bytes) {
  while (bytes > 0) {
    auto got = segments_.front().in->read(to, bytes);
    if (!got) return got.error();
    if (got.value() == 0) return Error{"what was written there cannot be read again"};
    to += got.value();
    bytes -= got.value();
    segments_.front().read += got.value();
  }
  return Unit{};
}

// One piece of text behind its length; `at` goes behind it.
std::string_view SpillFile::part_at(size_t& at) const {
  uint64_t size = 0;
  memcpy(&size, text_.data() + at, sizeof(size));
  at += sizeof(size) + size;
  return std::string_view(text_).substr(at - size, size);
}

Result<MessageGroup> SpillFile::pop() {
  while (segments_.front().read == segments_.front().written) segments_.pop_front();
  Head head;
  Status done = read(reinterpret_cast<char*>(&head), sizeof(head));
  if (!done) return done.error();
  text_.resize(head.from_bytes + head.text_bytes);
  done = read(text_.data(), text_.size());
  if (!done) return done.error();
  MessageGroup out;
  out.begin(text_.substr(0, head.from_bytes));
  size_t at = head.from_bytes;
  for (uint64_t i = 0; i < head.messages; ++i) {
    std::string_view message = part_at(at);
    std::string_view bad = part_at(at);
    if (bad.empty()) out.add(message);
    if (!bad.empty()) out.add_bad(message, std::string(bad));
  }
  bytes_ -= sizeof(head) + text_.size();
  --groups_;
  // The last one is written to again and again; it begins anew when all of it was read.
  if (groups_ == 0) segments_.clear();
  return out;
}

}  // namespace mut::connector
