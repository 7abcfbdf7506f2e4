// A shadow: a candidate for the next version that runs beside the one that runs, on the same events, with a
// copy of the state, and whose rows are compared instead of written.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mut {

struct SourceCut;
struct Consent;
struct SwapReport;

// What may differ. Empty lists and counts: nothing may. See Expectation::parse().
struct Expectation {
  enum class Allows : uint8_t { Nothing, Some, Everything };
  Allows missing = Allows::Nothing;
  Allows extra = Allows::Nothing;
  Allows changed = Allows::Nothing;
  std::vector<std::string> fields;  // changed is Some: these

  // "none"; or with commas between them: "missing", "extra", "changed", "changed only FIELD FIELD". Empty
  // after something else, which `problem` tells.
  static std::optional<Expectation> parse(std::string_view text, std::string& problem);
};

struct FieldDifference {
  std::string field;
  uint64_t rows = 0;     // changed rows in which it differs
  uint64_t numbers = 0;  // of those, where it is a number in both
  double sum = 0;        // of candidate less live, over these
  double most = 0;       // the largest of them by size, with its sign
};

struct RowDifference {
  enum class Kind : uint8_t { Changed, Missing, Extra } kind = Kind::Changed;
  std::string source;   // whose record brought the rows about
  uint64_t record = 0;  // its number in the source, from 1
  std::string live;     // JSON; empty: no such row
  std::string candidate;
};

// Rows of a sink, paired by event: those that are equal first, then by the fields that are keys of some
// stage, then in their order.
struct SinkComparison {
  std::string sink;
  uint64_t equal = 0;
  uint64_t changed = 0;
  uint64_t missing = 0;  // the candidate does not give them
  uint64_t extra = 0;    // only the candidate gives them
  std::vector<FieldDifference> fields;
  std::vector<RowDifference> samples;  // the first of each kind, at most samples_max
  static constexpr uint64_t samples_max = 5;
};

struct ShadowReport {
  std::string name;  // of the script
  std::string plan;  // what the edit would do to the state, as `mutc plan` prints it
  enum class Life : uint8_t { Waits, Runs, Ended } life = Life::Waits;
  std::string ended;            // why
  std::vector<SourceCut> from;  // records that it did not see
  uint64_t records = 0;         // that it has seen
  std::vector<SinkComparison> sinks;
  // Processor time of these records in the first shard, nanoseconds: of the live version, and of the
  // candidate, which includes the comparison of its rows.
  int64_t live_ns = 0;
  int64_t candidate_ns = 0;
  uint64_t live_errors = 0;  // event errors, of these records
  uint64_t candidate_errors = 0;
  size_t state_bytes = 0;  // of the candidate
  uint64_t entries = 0;    // that were copied and converted
  int64_t pause_ns = 0;    // charged: processor time of its begin
  std::string warnings;    // of the candidate, rendered
  // What does not hold of what was expected; empty: all does, or nothing was.
  std::vector<std::string> unexpected;
};

struct ShadowRequest {
  std::string text;
  std::string name;
  std::vector<SourceCut> at;  // empty: at the next boundary
  std::vector<Consent> accept;
  std::optional<Expectation> expect{};
};

struct PromoteRequest {
  // Migrate: the state is made of that of the live version at the cut, as by any edit. Adopt: it is that of
  // the shadow, which has seen the events since its begin.
  enum class State : uint8_t { Migrate, Adopt } state = State::Migrate;
  std::vector<SourceCut> at;    // empty: at the next boundary
  std::vector<Consent> accept;  // besides those of the shadow
  // As of a SwapRequest.
  std::function<void(const SwapReport&)> settled{};
};

}  // namespace mut
