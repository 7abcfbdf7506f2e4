// Texts and rings of a store, addressed by offset so that rows hold no pointers. Freed pieces are kept
// by size class and used again; those larger than a block of many are given back. One thread.
#pragma once
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/abi/kernel.h"
#include "runtime/state/budget.h"

namespace mut::state {

class Loader;
class Saver;

class Heap {
 public:
  // `view` is the part that kernels see; it is kept up to date.
  Heap(Budget& budget, MutHeap& view) : budget_(budget), view_(view) {}
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Becomes a copy of another; was empty. Offsets mean the same in both.
  void copy_from(const Heap& other);

  // All of it as bytes; the other way into an empty one. Counts in the budget, whatever its limit.
  void save(Saver& to) const;
  void load(Loader& from);

  // Whether the budget has so much left.
  bool fits(uint64_t bytes) const { return budget_.fits(bytes); }
  // Bytes that such a piece may add to the budget, where one of `freed` bytes (0: none) is let go before.
  uint64_t growth(uint64_t bytes, uint64_t freed) const;
  // Bytes that pieces of these sizes, asked for one after the other, add to the budget: whole blocks.
  uint64_t block_growth(const std::vector<uint64_t>& pieces) const;
  // Bytes that a piece takes.
  static uint64_t rounded(uint64_t bytes);
  // Offset of `bytes` new bytes, not cleared.
  uint64_t allocate(uint64_t bytes);
  void free(uint64_t offset, uint64_t bytes);
  char* at(uint64_t offset) const { return blocks_[offset >> 32] + static_cast<uint32_t>(offset); }

  MutStoredStr store(std::string_view text);
  void free(const MutStoredStr& text) {
    if (text.size != 0) free(text.offset, text.size);
  }
  MutStr load(const MutStoredStr& text) const {
    return {text.size, text.prefix, text.size == 0 ? "" : at(text.offset)};
  }

 private:
  static constexpr size_t class_count = 40;
  size_t add_block(size_t bytes);
  char* make_block(size_t bytes);
  void free_block(size_t number);
  Budget& budget_;
  MutHeap& view_;
  std::vector<char*> blocks_;
  std::vector<size_t> block_bytes_;
  std::array<std::vector<uint64_t>, class_count> free_;
  std::vector<size_t> empty_;  // blocks that were given back
  size_t current_ = 0;         // the block that is filled
  uint64_t next_ = 0;          // in it
  uint64_t end_ = 0;
  size_t block_size_next_ = 1024;
};

}  // namespace mut::state
