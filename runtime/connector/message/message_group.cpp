#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/connector/message/subscription.h"

namespace mut::connector {

void MessageGroup::begin(std::string from) {
  from_ = std::move(from);
  ends_.clear();
  bad_.clear();
  text_bytes_ = 0;
  // Rows of the group before may still point into its buffer.
  if (buffer_ && buffer_.use_count() > 1) buffer_ = nullptr;
}

void MessageGroup::add(std::string_view payload) {
  size_t needed = text_bytes_ + payload.size() + 1;
  if (!buffer_ || buffer_->capacity < needed) {
    auto larger = std::make_shared<batch::ReadBuffer>(std::max(needed * 2, bytes_max / 4));
    if (text_bytes_ > 0) memcpy(larger->memory.get(), buffer_->memory.get(), text_bytes_);
    buffer_ = std::move(larger);
  }
  if (!payload.empty()) memcpy(buffer_->memory.get() + text_bytes_, payload.data(), payload.size());
  buffer_->memory[needed - 1] = '\n';
  text_bytes_ = needed;
  ends_.push_back(needed);
}

void MessageGroup::add_bad(std::string_view raw, std::string why) {
  bad_.emplace(ends_.size(), std::move(why));
  add(raw);
}

std::string_view MessageGroup::bad(size_t index) const {
  auto found = bad_.find(index);
  return found == bad_.end() ? std::string_view() : found->second;
}

std::string_view MessageGroup::message(size_t index) const {
  std::string_view all = line(index);
  return all.substr(0, all.size() - 1);
}

std::string_view MessageGroup::line(size_t index) const {
  size_t begin = index == 0 ? 0 : ends_[index - 1];
  return {buffer_->memory.get() + begin, ends_[index] - begin};
}

}  // namespace mut::connector
