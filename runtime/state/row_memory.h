// Memory for the segments of a large table: pieces of one size out of regions that the system may back
// with huge pages, so that a look-up in a table larger than the caches misses the translation buffers
// less often; of the file of a Spill where memory has no room. One thread.
#pragma once
#include <cstddef>
#include <vector>

#include "runtime/state/budget.h"

namespace mut::state {

class RowMemory {
 public:
  static constexpr size_t piece_bytes = 64 * 1024;

  // Segments count in the budget by themselves; here, which of that lies in the file.
  explicit RowMemory(Budget& budget) : budget_(budget) {}
  ~RowMemory();
  RowMemory(const RowMemory&) = delete;
  RowMemory& operator=(const RowMemory&) = delete;

  // Not cleared, aligned to a line of the cache; `bytes` of it are used, piece_bytes at most. All are given
  // back before this dies.
  char* take(size_t bytes);
  // Whether take() gave it.
  bool owns(const char* piece) const;
  void give_back(char* piece, size_t bytes);

 private:
  char* make_region();
  static constexpr size_t region_bytes = 2 * 1024 * 1024;  // a huge page of x86-64 and of AArch64
  Budget& budget_;
  std::vector<char*> regions_;  // by address
  char* newest_ = nullptr;
  size_t used_ = region_bytes;  // of the newest region
  std::vector<char*> free_;
};

}  // namespace mut::state
