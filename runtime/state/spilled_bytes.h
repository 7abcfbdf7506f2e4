// A text of one length that only passes through: in the file of a Spill, so that it takes no memory that the
// system cannot take back; in memory where there is none, or it has no room.
#pragma once
#include <algorithm>
#include <bit>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/state/spill.h"

namespace mut::state {

// Movable, owned by one. Its bytes are not cleared.
class SpilledBytes {
 public:
  // `spill` may be null.
  SpilledBytes(std::shared_ptr<Spill> spill, size_t bytes) : spill_(std::move(spill)), size_(bytes) {
    if (spill_ && size_ >= Spill::piece_bytes) data_ = spill_->take(std::bit_ceil(size_));
    if (data_ != nullptr) return;
    spill_ = nullptr;
    data_ = new char[std::max<size_t>(size_, 1)];
  }
  SpilledBytes(SpilledBytes&& other) noexcept
      : spill_(std::move(other.spill_)), data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  SpilledBytes& operator=(SpilledBytes&&) = delete;
  ~SpilledBytes() {
    if (data_ == nullptr) return;
    if (spill_) {
      spill_->give_back(data_, std::bit_ceil(size_));
    } else {
      delete[] data_;
    }
  }

  char* data() { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  std::shared_ptr<Spill> spill_;  // null: in memory
  char* data_ = nullptr;
  size_t size_;
};

}  // namespace mut::state
