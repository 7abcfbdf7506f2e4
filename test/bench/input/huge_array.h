// A fixed array of plain values on huge pages where the system gives them, zeroed at first.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "test/bench/input/huge_pages.h"

namespace mut::bench {

template <typename T>
class HugeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit HugeArray(size_t count) : count_(count), bytes_(rounded(count * sizeof(T))) {
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();  // a benchmark without its input has no result
    madvise(memory, bytes_, MADV_HUGEPAGE);
    data_ = static_cast<T*>(memory);
  }
  ~HugeArray() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }
  HugeArray(HugeArray&& other) noexcept
      : count_(other.count_), bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  HugeArray& operator=(HugeArray&& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }

  size_t size() const { return count_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t index) { return data_[index]; }
  const T& operator[](size_t index) const { return data_[index]; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + count_; }

 private:
  static size_t rounded(size_t bytes) {
    return (bytes + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  }

  size_t count_;
  size_t bytes_;
  T* data_ = nullptr;
};

}  // namespace mut::bench
