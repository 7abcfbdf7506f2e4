// One start of a pattern and how far it has come. What lies before a `then` is decided for good once a step
// behind it is looked for (docs/language.md, "Patterns"), so a start goes on where it was and never begins
// anew.
#pragma once
#include <cstddef>
#include <unordered_set>
#include <vector>

#include "runtime/state/pattern_rule.h"
#include "runtime/state/saved.h"

namespace mut::state {

struct BoundEvent {
  uint32_t name = 0;
  uint64_t event = 0;  // number of the event in its group
};

enum class Found : uint8_t { No, Yes, Open };

// Where a path through a stretch stands.
struct PatternPlace {
  uint32_t step = 0;
  bool any = false;  // an event is bound in this stretch
  uint64_t at = 0;   // the next event
  size_t bound = 0;  // how many are
  uint64_t forbidden = 0;
  uint64_t quiet = 0;         // at the end: events before it are none that must not come
  std::vector<size_t> turns;  // by loop: how many were bound when the turn began

  template <typename Io, typename Self>
  static void pass(Io& io, Self& self) {
    pass_values(io, self.step, self.any, self.at, self.bound, self.forbidden, self.quiet);
    pass_plain(io, self.turns);
  }
};

// A start: the stretch of steps that is looked for, and what is bound for good.
struct PatternStart {
  uint64_t event = 0;
  bool began = false;  // a `then` was reached: events are skipped from `gap_begin` on
  uint32_t step = 0;
  uint64_t gap_begin = 0;
  uint64_t next = 0;     // events before it cannot be where the stretch begins
  uint64_t skipped = 0;  // names that events from gap_begin to `next` satisfy
  uint64_t forbidden = 0;
  std::vector<BoundEvent> bound;
  std::vector<size_t> turns;
  // A path that waits for an event: it goes on from here, and what it has left out is tried after it.
  bool waits = false;
  PatternPlace place;
  std::vector<PatternPlace> others;
  std::vector<BoundEvent> tried;  // `bound` and what the path has bound

  template <typename Io, typename Self>
  static void pass(Io& io, Self& self) {
    pass_values(io, self.event, self.began, self.step, self.gap_begin, self.next, self.skipped,
                self.forbidden, self.waits);
    pass_plain(io, self.bound);
    pass_plain(io, self.turns);
    PatternPlace::pass(io, self.place);
    pass_each(io, self.others, sizeof(uint64_t), [](Io& of, auto& each) { PatternPlace::pass(of, each); });
    pass_plain(io, self.tried);
  }
  size_t extra_bytes() const {
    size_t turn_bytes = place.turns.capacity() * sizeof(size_t);
    return (bound.capacity() + tried.capacity()) * sizeof(BoundEvent) +
           others.capacity() * (sizeof(PatternPlace) + turn_bytes) + turn_bytes * 2;
  }
};

// The events of one key.
class PatternEvents {
 public:
  virtual ~PatternEvents() = default;
  // Names that an event satisfies, as far as that does not depend on what is bound.
  virtual uint64_t names(uint64_t event) const = 0;
  // The first event from `from` on that satisfies one of `wanted`, or `end`. Adds to `skipped` what those
  // before it satisfy.
  virtual uint64_t find(uint64_t from, uint64_t end, uint64_t wanted, uint64_t& skipped) const = 0;
  // Whether it satisfies a name that looks back at `bound`.
  virtual bool asks(uint32_t name, uint64_t event, const std::vector<BoundEvent>& bound) const = 0;
};

// Of the events of one key, as they are now. For several starts, one after the other.
class PatternSearch {
 public:
  PatternSearch(const PatternRule& rule, const PatternEvents& events) : rule_(rule), events_(events) {}

  // Events before `end` are there; `over`: no others will be. After Yes `start.bound` is the match.
  Found run(PatternStart& start, uint64_t end, bool over);
  // A search that was given up because it took too long is a No.
  bool gave_up() const { return gave_up_; }

 private:
  // Then: a `then` was reached. Never: whatever else could be tried, there is no match.
  enum class Outcome : uint8_t { No, Yes, Open, Then, Never };
  using Place = PatternPlace;

  // The stretch from `start.step` on, its first event at `from`.
  Outcome stretch(PatternStart& start, uint64_t from, Place& place);
  Outcome follow(const PatternStart& start, uint64_t from, Place& place, std::vector<Place>& others);
  Outcome finish(Place& place, bool skips_forbidden) const;
  bool satisfies(uint64_t event, uint64_t names) const;
  bool skips_forbidden(const PatternStart& start, uint64_t from, uint64_t names) const;
  bool seen_before(const Place& place);

  const PatternRule& rule_;
  const PatternEvents& events_;
  uint64_t end_ = 0;
  bool over_ = false;
  bool gave_up_ = false;
  bool dead_ends_hold_ = false;  // seen_ has nothing but places that led nowhere
  uint64_t step_count_ = 0;
  std::vector<BoundEvent> bound_;
  std::unordered_set<uint64_t> seen_;  // steps and events, once a search takes long
};

}  // namespace mut::state
