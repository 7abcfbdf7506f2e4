// What a pattern looks for, as a program over the events of one key: made by the compiler, run by
// state/pattern_search. Names of the pattern are bits of a mask.
#pragma once
#include <cstdint>
#include <vector>

namespace mut::state {

struct PatternStep {
  enum class Kind : uint8_t {
    Bind,    // the next event, if it satisfies name `a`
    Split,   // go on at step `a`; if that leads nowhere, at `b`
    Jump,    // go on at step `a`
    Gap,     // `then`: skip events, none of which satisfies a name of `names`
    Turn,    // a turn of loop `a` begins
    Turned,  // it ends: it has to have bound something
    End,     // a match
  };
  Kind kind = Kind::End;
  uint32_t a = 0;
  uint32_t b = 0;
  uint64_t names = 0;
  friend bool operator==(const PatternStep&, const PatternStep&) = default;
};

struct PatternRule {
  std::vector<PatternStep> steps;
  uint32_t loop_count = 0;
  // By step, for the first one and those behind a gap: the names that can be bound first from there.
  std::vector<uint64_t> first_names;
  uint64_t absent = 0;      // names of events that must not come after the last one
  uint64_t looks_back = 0;  // names whose condition depends on what is bound: the kernel is asked
  // By measure, which is a cell of the store: the name whose events it is over.
  std::vector<uint32_t> measure_names;
  // By name, for those that look back: the measures that its condition reads.
  std::vector<std::vector<uint32_t>> measures_of;
  int64_t within = 0;  // nanoseconds; 0: none
  bool next_event = false;
  int64_t limit = 0;  // starts that are not decided, per key

  // Whether two look for the same: all but the bounds.
  bool looks_like(const PatternRule& other) const {
    return steps == other.steps && absent == other.absent && looks_back == other.looks_back &&
           measure_names == other.measure_names;
  }
};

}  // namespace mut::state
