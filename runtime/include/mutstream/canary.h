// A canary: a version that runs for some of the keys, while the one before runs for the others. Rows of both
// go to the sinks.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut {

struct SourceCut;
struct Consent;
struct SwapReport;

// Which keys are a canary's: those of which the hash of one field lies in the first part of all hashes. Which
// they are depends on nothing else: a canary of a larger part has all keys of a smaller one.
struct CanaryPart {
  uint32_t share = 0;  // in hundredths of a percent: 1 to 9,999
  std::string field;   // of every source

  // "5% by card", "0.25% by card". Empty after something else, which `problem` tells.
  static std::optional<CanaryPart> parse(std::string_view text, std::string& problem);
  // As parse() reads it.
  std::string text() const;
};

struct CanaryRequest {
  std::string text;
  std::string name;
  CanaryPart part;
  std::vector<SourceCut> at;  // empty: at the next boundary
  std::vector<Consent> accept;
};

struct CanaryReport {
  enum class Life : uint8_t { Waits, Runs, Completed, Ended } life = Life::Waits;
  uint64_t version = 0;  // its number, also once it is completed
  std::string name;
  std::string part;
  std::string plan;      // of the edit that it is, as `mutc plan` prints it
  std::string warnings;  // of the script, rendered
  std::string ended;     // Ended: why
  std::vector<SourceCut> from;
  std::vector<SourceCut> to;    // Completed, Ended
  uint64_t records = 0;         // of all sources since its begin
  uint64_t records_inside = 0;  // of its keys
  uint64_t rows = 0;            // that it gave to sinks
  uint64_t live_rows = 0;       // that the version of the other keys gave meanwhile
  uint64_t errors = 0;          // event errors of its records
  uint64_t live_errors = 0;     // of the others
  uint64_t entries = 0;         // of state that went over to it
  size_t state_bytes = 0;       // that it has, or had at its end
  int64_t pause_ns = 0;         // charged: processor time of its begin
  int64_t close_pause_ns = 0;   // of its completion or its end
};

// When it is completed or ended.
struct CanaryClose {
  std::vector<SourceCut> at;  // empty: at the next boundary
  // Called once when it has happened or could not: then `refused` says why. On the thread that runs; on the
  // caller's where a canary that waits is let go of.
  std::function<void(const SwapReport&)> settled{};
};

}  // namespace mut
