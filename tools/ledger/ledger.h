// An account of what went into a stream and what came out of it. Knows three fixed scripts by their
// meaning and nothing of the engine: it reads files, and believes only `$source $position $version`.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ledger {

enum class Meaning { Passthrough, Threshold, Running };

// One version of the script: rules the records from `from` on (position of the first, from 0).
struct Version {
  uint64_t number = 1;
  uint64_t from = 0;
  double limit = 0;  // of `where amount > limit`
};

struct Question {
  Meaning meaning = Meaning::Passthrough;
  std::string input;              // JSON lines, as the source read them
  std::string output;             // JSON lines with stamps
  std::vector<Version> versions;  // in order of `from`; empty: any that never goes back
  std::string source;             // rows of others are left out; empty: all rows
  std::string amount = "amount";
  std::string key = "card";
};

struct Answer {
  uint64_t rows = 0;
  uint64_t lost = 0;                  // a record that has no row, or is missing from a sum
  uint64_t repeated = 0;              // a second row of a record, or counted twice in a sum
  uint64_t mixed = 0;                 // a row of another version or of other content than its record says
  uint64_t reordered = 0;             // a row after one of a later record (running: of its key)
  std::vector<std::string> examples;  // a few, in words
  bool balanced() const { return lost == 0 && repeated == 0 && mixed == 0 && reordered == 0; }
};

// The answer, or what is wrong with the question.
struct Result {
  std::optional<Answer> answer;
  std::string problem;
};
Result audit(const Question& question);

// `{"versions":[{"version":1,"from":0,"limit":100.0},…]}`
std::optional<std::vector<Version>> parse_versions(const std::string& text);

}  // namespace ledger
