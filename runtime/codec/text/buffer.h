// Where writers put their text. Unlike std::string it hands out room without clearing it first.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace mut::text {

// One thread at a time. Keeps its memory over clear().
class Buffer {
 public:
  // Memory for `bytes` more bytes; becomes text by advance_to(). Valid until the next room().
  char* room(size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return memory_.get() + size_;
  }
  void advance_to(const char* end) { size_ = static_cast<size_t>(end - memory_.get()); }

  void append(std::string_view text) {
    char* to = room(text.size());
    memcpy(to, text.data(), text.size());
    size_ += text.size();
  }
  void append(char c) {
    *room(1) = c;
    ++size_;
  }

  std::string_view view() const { return {memory_.get(), size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  // Back to the first `size` bytes.
  void truncate(size_t size) { size_ = size; }

 private:
  void grow(size_t bytes) {
    size_t capacity = std::max(capacity_ * 2, size_ + bytes + 4096);
    std::unique_ptr<char[]> memory(new char[capacity]);
    if (size_ > 0) memcpy(memory.get(), memory_.get(), size_);
    memory_ = std::move(memory);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace mut::text
