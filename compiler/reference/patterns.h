// The meaning of patterns: a search over the whole list of a key's events, by what the tree of the pattern
// says and nothing else. Slow on purpose.
#pragma once
#include <functional>
#include <vector>

#include "compiler/typed/program.h"

namespace mut::reference {

struct BoundEvent {
  int name = 0;
  size_t event = 0;
};

// Open: what is still to come may decide otherwise.
enum class Found : uint8_t { No, Yes, Open };

class PatternSearch {
 public:
  // Whether an event satisfies the condition of a name, given what is bound before it.
  using Holds = std::function<bool(int name, size_t event, const std::vector<BoundEvent>& bound)>;
  PatternSearch(const typed::Match& match, Holds holds) : match_(match), holds_(std::move(holds)) {}

  // The match that begins with events[start]. Events before `end` are there; `over`: no others will be.
  Found from(size_t start, size_t end, bool over);
  const std::vector<BoundEvent>& bound() const { return bound_; }

 private:
  // Final: not here, and nowhere else either (rule 9.14: there is no second try).
  enum class Try : uint8_t { No, Yes, Open, Final };
  struct State {
    size_t at = 0;                 // the next event
    bool bound = false;            // one is, since the last `then`
    size_t gap_begin = 0;          // events from here to `at` are skipped …
    std::vector<int> forbidden{};  // … and none of them may be one of these
  };
  using Next = std::function<Try(State)>;

  Try step(const typed::PatternNode& node, const State& state, const Next& next);
  Try name(int name, const State& state, const Next& next);
  Try sequence(const typed::PatternNode& node, size_t part, const State& state, const Next& next);
  Try gap(const typed::PatternGap& gap, State state, const Next& next);
  Try repeat(const typed::PatternNode& node, uint32_t turns, const State& state, const Next& next);
  Try end(const State& state);
  bool skips_forbidden(const State& state) const;

  const typed::Match& match_;
  Holds holds_;
  size_t end_ = 0;
  bool over_ = false;
  std::vector<BoundEvent> bound_;
};

}  // namespace mut::reference
