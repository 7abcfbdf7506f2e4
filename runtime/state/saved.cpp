#include "runtime/state/saved.h"

namespace mut::state {

SavedMemory::~SavedMemory() {
  for (char* chunk : chunks_) give_back(chunk);
}

char* SavedMemory::take() {
  if (used_ == chunks_.size()) {
    char* spilled = spill_ ? spill_->take(chunk_bytes) : nullptr;
    chunks_.push_back(spilled != nullptr ? spilled : new char[chunk_bytes]);
  }
  return chunks_[used_++];
}

void SavedMemory::give_back(char* chunk) {
  if (spill_ && spill_->owns(chunk)) {
    spill_->give_back(chunk, chunk_bytes);
  } else {
    delete[] chunk;
  }
}

void SavedMemory::trim() {
  // A little more than the last one had: the next is likely to need it.
  size_t keep = used_ + used_ / 8 + 1;
  for (; chunks_.size() > keep; chunks_.pop_back()) give_back(chunks_.back());
}

void Saver::bytes(const void* from, size_t count) {
  const char* at = static_cast<const char*>(from);
  while (count > 0) {
    if (at_ == end_) {
      end_block();
      begin_ = at_ = memory_.take();
      end_ = at_ + SavedMemory::chunk_bytes;
    }
    size_t piece = std::min(count, static_cast<size_t>(end_ - at_));
    memcpy(at_, at, piece);
    at_ += piece;
    at += piece;
    count -= piece;
  }
}

void Saver::next_block() {
  // Smaller ones are not worth a head of their own.
  constexpr ptrdiff_t block_bytes_min = 8 * 1024;
  if (at_ - begin_ >= block_bytes_min) end_block();
}

void Saver::end_block() {
  if (at_ != begin_) blocks_.emplace_back(begin_, static_cast<size_t>(at_ - begin_));
  begin_ = at_;
}

std::vector<std::string_view> Saver::finish() {
  end_block();
  return std::exchange(blocks_, {});
}

Loader::Loader(std::vector<std::string_view> blocks) : blocks_(std::move(blocks)) {
  for (std::string_view block : blocks_) left_ += block.size();
}

void Loader::bytes(void* to, size_t count) {
  if (!fine_ || count > left_) {
    fine_ = false;
    memset(to, 0, count);
    return;
  }
  left_ -= count;
  char* at = static_cast<char*>(to);
  while (count > 0) {
    std::string_view block = blocks_[block_];
    size_t piece = std::min(count, block.size() - place_);
    memcpy(at, block.data() + place_, piece);
    at += piece;
    count -= piece;
    place_ += piece;
    if (place_ < block.size()) continue;
    ++block_;
    place_ = 0;
  }
}

uint64_t Loader::count(size_t bytes_each) {
  uint64_t out = 0;
  value(out);
  if (out > left_ / std::max<size_t>(bytes_each, 1)) {
    fine_ = false;
    return 0;
  }
  return out;
}

void Loader::text(std::string& to) {
  to.resize(count(1));
  bytes(to.data(), to.size());
}

}  // namespace mut::state
