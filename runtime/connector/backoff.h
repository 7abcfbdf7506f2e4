// How long to wait before the next attempt to connect.
#pragma once
#include <algorithm>
#include <cstdint>
#include <random>

namespace mut::connector {

// The first attempts come soon; from the fourth on there is at least a second between two, and two at most.
// The wait is drawn, so that many who lost the same other side do not come back at one moment.
class Backoff {
 public:
  static constexpr int64_t first_ns = 200'000'000;
  static constexpr int64_t least_steady_ns = 1'000'000'000;
  static constexpr int64_t most_ns = 2'000'000'000;
  // A connection that has lasted as long begins with the first attempts again.
  static constexpr int64_t settled_ns = 5'000'000'000;

  explicit Backoff(uint64_t seed) : draw_(seed) {}

  int64_t next_ns() {
    int64_t most = std::min(first_ns << std::min(attempts_, 6), most_ns);
    int64_t least = most == most_ns ? least_steady_ns : most / 2;
    ++attempts_;
    return std::uniform_int_distribution<int64_t>(least, most)(draw_);
  }
  void note_lasted(int64_t connected_ns) {
    if (connected_ns >= settled_ns) attempts_ = 0;
  }

 private:
  std::mt19937_64 draw_;
  int attempts_ = 0;
};

}  // namespace mut::connector
