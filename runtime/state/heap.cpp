#include "runtime/state/heap.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/abi/value.h"

namespace mut::state {
namespace {

constexpr size_t block_bytes_max = 64 * 1024;

// Classes are powers of two from 16 bytes, so that a piece fits whatever asks for its class.
size_t class_of(uint64_t bytes) {
  return bytes <= 16 ? 0 : static_cast<size_t>(std::bit_width(bytes - 1)) - 4;
}
uint64_t class_bytes(size_t index) { return uint64_t{16} << index; }

}  // namespace

Heap::~Heap() {
  for (size_t i = 0; i < blocks_.size(); ++i) free_block(i);
}

char* Heap::make_block(size_t bytes) {
  char* spilled = std::has_single_bit(bytes) ? budget_.take_spilled(bytes) : nullptr;
  if (spilled == nullptr) return new char[bytes];
  budget_.in_file(bytes);
  return spilled;
}

void Heap::free_block(size_t number) {
  budget_.remove(block_bytes_[number]);
  if (budget_.owns_spilled(blocks_[number])) {
    budget_.out_of_file(block_bytes_[number]);
    budget_.give_back_spilled(blocks_[number], block_bytes_[number]);
  } else {
    delete[] blocks_[number];
  }
  blocks_[number] = nullptr;
  block_bytes_[number] = 0;
}

void Heap::copy_from(const Heap& other) {
  for (size_t i = 0; i < other.blocks_.size(); ++i) {
    blocks_.push_back(other.blocks_[i] == nullptr ? nullptr : make_block(other.block_bytes_[i]));
    if (blocks_.back() != nullptr) memcpy(blocks_.back(), other.blocks_[i], other.block_bytes_[i]);
    budget_.add(other.block_bytes_[i]);
  }
  block_bytes_ = other.block_bytes_;
  free_ = other.free_;
  empty_ = other.empty_;
  current_ = other.current_;
  next_ = other.next_;
  end_ = other.end_;
  block_size_next_ = other.block_size_next_;
  view_.blocks = blocks_.data();
}

// Its number.
size_t Heap::add_block(size_t bytes) {
  size_t number = blocks_.size();
  if (empty_.empty()) {
    blocks_.push_back(nullptr);
    block_bytes_.push_back(0);
  } else {
    number = empty_.back();
    empty_.pop_back();
  }
  blocks_[number] = make_block(bytes);
  block_bytes_[number] = bytes;
  budget_.add(bytes);
  view_.blocks = blocks_.data();
  return number;
}

uint64_t Heap::allocate(uint64_t bytes) {
  size_t index = class_of(bytes);
  if (!free_[index].empty()) {
    uint64_t offset = free_[index].back();
    free_[index].pop_back();
    return offset;
  }
  uint64_t rounded = class_bytes(index);
  if (rounded > block_bytes_max) return static_cast<uint64_t>(add_block(rounded)) << 32;
  if (next_ + rounded > end_) {
    size_t size = std::max<size_t>(rounded, block_size_next_);
    block_size_next_ = std::min(block_size_next_ * 2, block_bytes_max);
    current_ = add_block(size);
    next_ = 0;
    end_ = size;
  }
  uint64_t offset = (static_cast<uint64_t>(current_) << 32) | next_;
  next_ += rounded;
  return offset;
}

void Heap::free(uint64_t offset, uint64_t bytes) {
  size_t index = class_of(bytes);
  if (class_bytes(index) <= block_bytes_max) return free_[index].push_back(offset);
  // It has a block of its own: what a list was when it was long must not be kept for ever.
  size_t number = offset >> 32;
  free_block(number);
  empty_.push_back(number);
}

uint64_t Heap::rounded(uint64_t bytes) { return bytes == 0 ? 0 : class_bytes(class_of(bytes)); }

uint64_t Heap::growth(uint64_t bytes, uint64_t freed) const {
  if (bytes == 0) return 0;
  size_t index = class_of(bytes);
  if (freed != 0 && class_of(freed) == index) return 0;
  return free_[index].empty() ? class_bytes(index) : 0;
}

uint64_t Heap::block_growth(const std::vector<uint64_t>& pieces) const {
  std::array<size_t, class_count> taken{};
  uint64_t left = end_ - next_;
  uint64_t block = block_size_next_;
  uint64_t growth = 0;
  for (uint64_t bytes : pieces) {
    size_t index = class_of(bytes);
    if (bytes == 0 || taken[index]++ < free_[index].size()) continue;
    uint64_t rounded = class_bytes(index);
    if (rounded > block_bytes_max) {
      growth += rounded;
      continue;
    }
    if (rounded > left) {
      left = std::max(rounded, block);
      growth += left;
      block = std::min<uint64_t>(block * 2, block_bytes_max);
    }
    left -= rounded;
  }
  return growth;
}

MutStoredStr Heap::store(std::string_view text) {
  MutStoredStr out{static_cast<uint32_t>(text.size()), 0, 0};
  if (text.empty()) return out;
  memcpy(&out.prefix, text.data(), std::min<size_t>(4, text.size()));
  out.offset = allocate(text.size());
  memcpy(at(out.offset), text.data(), text.size());
  return out;
}

}  // namespace mut::state
