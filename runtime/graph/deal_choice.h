// Whether rows are worth dealing out to shards.
#pragma once
#include <cstdint>

namespace mut::runtime {

// Light work is done before the others are awake, and windows with as many groups as events are merged longer
// than they were filled. So both ways are tried for a moment, and the faster one is taken for a while.
// Results do not depend on it.
//
// Threads: one.
class DealChoice {
 public:
  bool deals() const { return way_ == Way::Dealt; }
  // So many rows were run that way in so many nanoseconds.
  void note(uint64_t rows, int64_t ns);

 private:
  enum class Way : uint8_t { Dealt, Alone };
  enum class Phase : uint8_t { TriesDealing, TriesAlone, Keeps };
  struct Rate {
    uint64_t rows = 0;
    int64_t ns = 0;
    bool is_above(const Rate& other) const {
      return static_cast<double>(rows) * static_cast<double>(other.ns) >
             static_cast<double>(other.rows) * static_cast<double>(ns);
    }
  };
  void begin(Phase phase, Way way);

  Phase phase_ = Phase::TriesDealing;
  Way way_ = Way::Dealt;
  Rate now_;    // of the phase
  Rate dealt_;  // of the last trial
};

}  // namespace mut::runtime
