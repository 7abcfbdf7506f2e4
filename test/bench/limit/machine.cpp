#include "test/bench/limit/machine.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "test/bench/input/huge_array.h"

namespace mut::bench {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The clock says whether time in which others had the core counts.
template <typename Work>
double best_seconds(clockid_t clock, int rounds, Work work) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < rounds; ++round) {
    const double begin = seconds_of(clock);
    work();
    best = std::min(best, seconds_of(clock) - begin);
  }
  return best;
}

void add_chain(uint64_t additions) {
  uint64_t x = 1;
  for (uint64_t i = 0; i < additions; ++i) asm volatile("add $1, %0" : "+r"(x));
}

// Keeps the compiler from leaving `value` out.
void use(uint64_t& value) { asm volatile("" : "+r"(value)); }

}  // namespace

double spin_seconds() {
  return best_seconds(CLOCK_MONOTONIC, 1, [] { add_chain(150'000'000); });
}

MachineLimits measure_machine() {
  constexpr clockid_t ours = CLOCK_THREAD_CPUTIME_ID;
  constexpr uint64_t additions = 20'000'000;
  const double chain = best_seconds(ours, 20, [] { add_chain(additions); });
  constexpr size_t words = size_t{64} << 20;  // 512 MiB, past every cache
  HugeArray<uint64_t> from(words);
  HugeArray<uint64_t> to(words);
  std::memset(from.data(), 1, words * sizeof(uint64_t));
  std::memset(to.data(), 1, words * sizeof(uint64_t));
  const double read = best_seconds(ours, 8, [&from] {
    uint64_t sum = 0;
    for (const uint64_t word : from) sum += word;
    use(sum);
  });
  const double copy =
      best_seconds(ours, 5, [&] { std::memcpy(to.data(), from.data(), words * sizeof(uint64_t)); });
  constexpr double gigabytes = static_cast<double>(words * sizeof(uint64_t)) / 1e9;
  return {static_cast<double>(additions) / chain / 1e9, gigabytes / read, 2 * gigabytes / copy};
}

}  // namespace mut::bench
