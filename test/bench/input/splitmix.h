// The fixed randomness of the benchmark inputs: the same bytes on every machine.
#pragma once
#include <cstdint>

namespace mut::bench {

constexpr uint64_t splitmix_step = 0x9E3779B97F4A7C15;

constexpr uint64_t splitmix_output(uint64_t state) {
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

class SplitMix64 {
 public:
  explicit constexpr SplitMix64(uint64_t state) : state_(state) {}

  // The stream of item `index`: items can be made in any order. The first output is dropped.
  static constexpr SplitMix64 of_item(uint64_t seed, uint64_t index) {
    SplitMix64 stream(seed + index * 0xD1342543DE82EF95);
    stream.next();
    return stream;
  }

  constexpr uint64_t next() { return splitmix_output(state_ += splitmix_step); }

  // In [0, bound).
  constexpr uint64_t uniform(uint64_t bound) { return multiply_high(next(), bound); }

  // In [0, 1).
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  static constexpr uint64_t multiply_high(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(a) * b) >> 64);
  }

  uint64_t state_;
};

}  // namespace mut::bench
