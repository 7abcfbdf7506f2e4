// Memory for the segments of a large table: pieces of one size out of regions that the system may back
// with huge pages, so that a look-up in a table larger than the caches misses the translation buffers
// less often. One thread.
#pragma once
#include <cstddef>
#include <vector>

namespace mut::state {

class RowMemory {
 public:
  static constexpr size_t piece_bytes = 64 * 1024;

  RowMemory() = default;
  ~RowMemory();
  RowMemory(const RowMemory&) = delete;
  RowMemory& operator=(const RowMemory&) = delete;

  // Not cleared, aligned to a line of the cache. Pieces still out when this dies go with it.
  char* take();
  // Whether take() gave it.
  bool owns(const char* piece) const;
  void give_back(char* piece) { free_.push_back(piece); }

 private:
  static constexpr size_t region_bytes = 2 * 1024 * 1024;  // a huge page of x86-64 and of AArch64
  std::vector<char*> regions_;                             // by address
  char* newest_ = nullptr;
  size_t used_ = region_bytes;  // of the newest region
  std::vector<char*> free_;
};

}  // namespace mut::state
