#include "runtime/batch/newest.h"

#include <algorithm>
#include <limits>

namespace mut::batch {
namespace {

constexpr int64_t least = std::numeric_limits<int64_t>::min();

#if defined(__x86_64__)
// The same for each set of instructions, as the compiler makes of it what they allow.
__attribute__((target("avx512f"))) int64_t newest_avx512(std::span<const int64_t> times) {
  int64_t newest = least;
  for (int64_t time : times) newest = std::max(newest, time);
  return newest;
}
__attribute__((target("avx2"))) int64_t newest_avx2(std::span<const int64_t> times) {
  int64_t newest = least;
  for (int64_t time : times) newest = std::max(newest, time);
  return newest;
}
#endif

int64_t newest_plain(std::span<const int64_t> times) {
  int64_t newest = least;
  for (int64_t time : times) newest = std::max(newest, time);
  return newest;
}

}  // namespace

int64_t newest_of(std::span<const int64_t> times) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return newest_avx512(times);
  if (__builtin_cpu_supports("avx2")) return newest_avx2(times);
#endif
  return newest_plain(times);
}

}  // namespace mut::batch
