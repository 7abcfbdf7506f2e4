#include "runtime/state/pattern_search.h"

#include <algorithm>

#include "runtime/abi/deliberate.h"

namespace mut::state {
namespace {

// From so many steps on, places that led nowhere are remembered.
constexpr uint64_t steps_unremembered = 2048;
// Where conditions look back a place can lead elsewhere each time: a stretch that takes so long is given up.
constexpr uint64_t steps_max = 1'000'000;

}  // namespace

bool PatternSearch::satisfies(uint64_t event, uint64_t names) const {
  if ((events_.names(event) & names & ~rule_.looks_back) != 0) return true;
  uint64_t back = names & rule_.looks_back & events_.names(event);
  for (; back != 0; back &= back - 1) {
    if (events_.asks(static_cast<uint32_t>(__builtin_ctzll(back)), event, bound_)) return true;
  }
  return false;
}

bool PatternSearch::skips_forbidden(const PatternStart& start, uint64_t from, uint64_t names) const {
  if (names == 0) return false;
  if ((start.skipped & names & ~rule_.looks_back) != 0) return true;
  if ((names & rule_.looks_back) == 0) return false;
  for (uint64_t event = start.gap_begin; event < from; ++event) {
    if (satisfies(event, names)) return true;
  }
  return false;
}

Found PatternSearch::run(PatternStart& start, uint64_t end, bool over) {
  // Places that led nowhere lead nowhere from another start either, as long as the events are the same.
  if (!dead_ends_hold_ || end_ != end || over_ != over) seen_.clear();
  dead_ends_hold_ = false;
  gave_up_ = false;
  end_ = end;
  over_ = over;
  if (!start.began) start.next = start.gap_begin = start.event;
  while (true) {
    // Where nothing can begin, the stretch need not be tried.
    if (start.began && !start.waits)
      start.next = events_.find(start.next, end_, rule_.first_names[start.step], start.skipped);
    Place place;
    Outcome outcome = stretch(start, start.next, place);
    if (outcome == Outcome::Open) return Found::Open;
    start.waits = false;
    start.others.clear();
    switch (outcome) {
      case Outcome::Yes:
        start.bound = bound_;
        return Found::Yes;
      case Outcome::Then:
        start.bound = bound_;
        start.began = true;
        start.step = place.step;
        start.gap_begin = start.next = place.at;
        start.skipped = 0;
        start.forbidden = place.forbidden;
        start.turns = std::move(place.turns);
        seen_.clear();
        continue;
      case Outcome::No:
        break;
      default:
        return Found::No;
    }
    bound_ = start.bound;
    dead_ends_hold_ = !start.began;
    if (!start.began || start.next >= end_) return Found::No;
    start.skipped |= events_.names(start.next);
    ++start.next;
  }
}

PatternSearch::Outcome PatternSearch::stretch(PatternStart& start, uint64_t from, Place& place) {
  step_count_ = 0;
  std::vector<Place> others;
  if (start.waits) {
    place = std::move(start.place);
    others = std::move(start.others);
    bound_ = std::move(start.tried);
  } else {
    bound_ = start.bound;
    place = {};
    place.step = start.step;
    place.at = from;
    place.bound = bound_.size();
    place.forbidden = start.began ? start.forbidden : 0;
    place.turns = start.turns;
    place.turns.resize(rule_.loop_count);
  }
  while (true) {
    Outcome outcome = follow(start, from, place, others);
    if (outcome == Outcome::Open) {
      start.waits = true;
      start.place = std::move(place);
      start.others = std::move(others);
      start.tried = bound_;
    }
    if (outcome != Outcome::No) return outcome;
    if (others.empty() || gave_up_) return gave_up_ ? Outcome::Never : Outcome::No;
    place = std::move(others.back());
    others.pop_back();
    bound_.resize(place.bound);
  }
}

bool PatternSearch::seen_before(const Place& place) {
  if (++step_count_ < steps_unremembered) return false;
  if (step_count_ > steps_max) {
    gave_up_ = true;
    return true;
  }
  if (rule_.looks_back != 0 || !place.any) return false;
  return !seen_.insert(place.at * rule_.steps.size() + place.step).second;
}

// One path until it ends; what else could be tried goes to `others`, the best last.
PatternSearch::Outcome PatternSearch::follow(const PatternStart& start, uint64_t from, Place& place,
                                             std::vector<Place>& others) {
  auto turned_away = [&] {
    return !place.any && !MUT_DELIBERATE_FAULT(pattern_not_ignored) &&
           skips_forbidden(start, from, place.forbidden);
  };
  while (true) {
    if (seen_before(place)) return Outcome::No;
    const PatternStep& step = rule_.steps[place.step];
    switch (step.kind) {
      case PatternStep::Kind::Bind:
        if (turned_away()) return Outcome::No;
        if (place.at == end_) return over_ ? Outcome::No : Outcome::Open;
        if (!satisfies(place.at, uint64_t{1} << step.a)) return Outcome::No;
        bound_.push_back({step.a, place.at});
        place.bound = bound_.size();
        place.any = true;
        ++place.at;
        ++place.step;
        break;
      case PatternStep::Kind::Split:
        others.push_back(place);
        others.back().step = step.b;
        place.step = step.a;
        break;
      case PatternStep::Kind::Jump:
        place.step = step.a;
        break;
      case PatternStep::Kind::Gap:
        ++place.step;
        if (place.any) {
          place.forbidden = step.names;
          return Outcome::Then;
        }
        place.forbidden |= step.names;  // what stands between two gaps was left out: they are one
        break;
      case PatternStep::Kind::Turn:
        place.turns[step.a] = place.bound;
        ++place.step;
        break;
      case PatternStep::Kind::Turned:
        if (place.bound == place.turns[step.a]) return Outcome::No;
        ++place.step;
        break;
      case PatternStep::Kind::End:
        return finish(place, turned_away());
    }
  }
}

PatternSearch::Outcome PatternSearch::finish(Place& place, bool skips_forbidden) const {
  if (!place.any) {
    if (place.at != end_ || skips_forbidden) return Outcome::No;
    if (!over_) return Outcome::Open;
  }
  if (rule_.absent == 0) return Outcome::Yes;
  for (place.quiet = std::max(place.quiet, bound_.back().event + 1); place.quiet < end_; ++place.quiet) {
    if (satisfies(place.quiet, rule_.absent)) return Outcome::Never;
  }
  return over_ ? Outcome::Yes : Outcome::Open;
}

}  // namespace mut::state
