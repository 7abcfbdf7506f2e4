// What `match` looks for, as a tree. docs/language.md, section "Patterns", says what it means.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace mut::typed {

struct Expr;

// What lies between two parts of a sequence.
struct PatternGap {
  bool relaxed = false;        // `then`: events that do not fit are skipped
  std::vector<int> forbidden;  // names of events that must not be skipped: `not x`
};

struct PatternNode {
  enum class Kind : uint8_t { Name, Sequence, Choice, Repeat };
  static constexpr uint32_t no_limit = std::numeric_limits<uint32_t>::max();
  Kind kind = Kind::Name;
  int name = -1;                   // Name: index into Match::names
  std::vector<PatternNode> parts;  // Sequence, Choice: in order; Repeat: one
  std::vector<PatternGap> gaps;    // Sequence: gaps[i] lies between parts[i] and parts[i + 1]
  uint32_t least = 1;              // Repeat: turns
  uint32_t most = 1;
  bool reluctant = false;
};

struct PatternName {
  std::string name;
  std::unique_ptr<Expr> condition;  // over the event and measures of what is bound; null: every event
  bool looks_back = false;          // the condition has measures
};

struct Match {
  std::vector<PatternName> names;  // in order of their first place in the pattern, then those of `not` alone
  PatternNode root;
  std::vector<int> absent;         // `… then not x` at the end: names of events that must not come
  std::vector<int> measure_names;  // for each of Stage::aggregates the name whose events it is over
  int64_t within = 0;              // nanoseconds; 0: none
  bool next_event = false;         // `after skip to next`
  int64_t limit = 1000;            // starts that are not decided, per key
};

}  // namespace mut::typed
