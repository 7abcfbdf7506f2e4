// One start of a pattern and how far it has come. What lies before a `then` is decided for good once a step
// behind it is looked for (docs/language.md, "Patterns"), so a start goes on where it was and never begins
// anew.
#pragma once
#include <cstddef>
#include <vector>

#include "runtime/state/pattern_rule.h"

namespace mut::state {

struct BoundEvent {
  uint32_t name = 0;
  uint64_t event = 0;  // number of the event in its group
};

enum class Found : uint8_t { No, Yes, Open };

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
  std::vector<size_t> turns;  // by loop: length of `bound` when the turn began
};

// The events of one key.
class PatternEvents {
 public:
  virtual ~PatternEvents() = default;
  // Names that an event satisfies, as far as that does not depend on what is bound.
  virtual uint64_t names(uint64_t event) const = 0;
  // Whether it satisfies a name that looks back at `bound`.
  virtual bool asks(uint32_t name, uint64_t event, const std::vector<BoundEvent>& bound) const = 0;
};

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
  struct Place {  // where a path stands
    uint32_t step = 0;
    uint64_t at = 0;
    size_t bound = 0;  // length of bound_
    bool any = false;  // an event is bound in this stretch
    uint64_t forbidden = 0;
    std::vector<size_t> turns;
  };

  // The stretch from `start.step` on, its first event at `from`.
  Outcome stretch(const PatternStart& start, uint64_t from, Place& place);
  Outcome follow(const PatternStart& start, uint64_t from, Place& place, std::vector<Place>& others);
  Outcome finish(const Place& place, bool skips_forbidden) const;
  bool satisfies(uint64_t event, uint64_t names) const;
  bool skips_forbidden(const PatternStart& start, uint64_t from, uint64_t names) const;
  bool seen_before(const Place& place);

  const PatternRule& rule_;
  const PatternEvents& events_;
  uint64_t end_ = 0;
  bool over_ = false;
  bool gave_up_ = false;
  uint64_t step_count_ = 0;
  std::vector<BoundEvent> bound_;
  std::vector<std::pair<uint32_t, uint64_t>> seen_;  // sorted, once a stretch takes long
};

}  // namespace mut::state
