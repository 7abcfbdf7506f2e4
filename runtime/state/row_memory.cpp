#include "runtime/state/row_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace mut::state {

RowMemory::~RowMemory() {
  for (char* region : regions_) {
    if (budget_.owns_spilled(region)) {
      budget_.give_back_spilled(region, region_bytes);
    } else {
      budget_.take_from_aside(region_bytes);
      operator delete[](region, std::align_val_t{region_bytes});
    }
  }
}

char* RowMemory::make_region() {
  if (char* spilled = budget_.take_spilled(region_bytes)) return spilled;
  char* region = static_cast<char*>(operator new[](region_bytes, std::align_val_t{region_bytes}));
  (void)madvise(region, region_bytes, MADV_HUGEPAGE);  // a wish: without it the region works as well
  budget_.set_aside(region_bytes);
  return region;
}

char* RowMemory::take(size_t bytes) {
  char* piece = nullptr;
  if (!free_.empty()) {
    piece = free_.back();
    free_.pop_back();
  } else {
    if (used_ == region_bytes) {
      char* region = make_region();
      regions_.insert(std::upper_bound(regions_.begin(), regions_.end(), region), region);
      newest_ = region;
      used_ = 0;
    }
    piece = newest_ + used_;
    used_ += piece_bytes;
  }
  if (budget_.owns_spilled(piece)) {
    budget_.in_file(bytes);
  } else {
    budget_.take_from_aside(bytes);
  }
  return piece;
}

void RowMemory::give_back(char* piece, size_t bytes) {
  if (budget_.owns_spilled(piece)) {
    budget_.out_of_file(bytes);
  } else {
    budget_.set_aside(bytes);
  }
  free_.push_back(piece);
}

bool RowMemory::owns(const char* piece) const {
  auto after = std::upper_bound(regions_.begin(), regions_.end(), piece);
  return after != regions_.begin() && piece < *(after - 1) + region_bytes;
}

}  // namespace mut::state
