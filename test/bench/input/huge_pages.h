// Large inputs on huge pages where the system gives them, so that columns are read at full bandwidth.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mut::bench {

constexpr size_t huge_page_bytes = size_t{2} << 20;

// Reserves room for `count` values; to be called before the vector is filled.
template <typename T>
void reserve_huge(std::vector<T>& values, size_t count) {
  values.reserve(count);
  const auto begin = reinterpret_cast<uintptr_t>(values.data());
  const auto first = (begin + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  const auto last = (begin + count * sizeof(T)) / huge_page_bytes * huge_page_bytes;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace mut::bench
