#include "runtime/graph/deal_choice.h"

namespace mut::runtime {
namespace {

// Of work: a trial outlasts what a neighbour on the machine takes at once.
constexpr int64_t trial_ns = 30'000'000;
constexpr int64_t kept_ns = 1'000'000'000;

}  // namespace

void DealChoice::begin(Phase phase, Way way) {
  phase_ = phase;
  way_ = way;
  now_ = {};
}

void DealChoice::note(uint64_t rows, int64_t ns) {
  now_.rows += rows;
  now_.ns += ns;
  if (now_.ns < (phase_ == Phase::Keeps ? kept_ns : trial_ns)) return;
  switch (phase_) {
    case Phase::TriesDealing:
      dealt_ = now_;
      return begin(Phase::TriesAlone, Way::Alone);
    case Phase::TriesAlone:
      return begin(Phase::Keeps, now_.is_above(dealt_) ? Way::Alone : Way::Dealt);
    case Phase::Keeps:
      return begin(Phase::TriesDealing, Way::Dealt);
  }
}

}  // namespace mut::runtime
