// A version that runs for some of the keys, beside the one that runs for the others: both are live. See
// docs/design/0012-canary.md.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph/fleet.h"

namespace mut::runtime {

// Which events and entries are the canary's: those of whose key the hash lies in the first so many parts.
struct Division {
  static constexpr uint32_t parts = 10'000;
  static constexpr uint64_t seed =
      0x6D75'7473'7472'6561;     // a constant: a run is the same whenever it is repeated
  uint32_t inside = 0;           // parts
  std::vector<int> fields;       // by source: the field that is the key; -1: nothing reads the source
  std::vector<int> live_keys;    // by store of the live version: which of its keys it is
  std::vector<int> canary_keys;  // the same of the canary's
};

// Events that were processed, and errors among them.
struct EventCounts {
  uint64_t records = 0;
  uint64_t errors = 0;
  std::map<std::string, uint64_t> errors_of;  // by stream

  void add(const EventCounts& other);
};

// Rows of a version that has run more events than the other: those of events that both have run are taken
// first, the others stay in their sinks. Threads: one.
class RowsAhead {
 public:
  // Of each sink the rows that were not taken yet, of events up to that position. Good until the next call,
  // and as long as the sinks are.
  std::span<const MutSink> take(std::span<const MutSink> sinks, uint64_t last_position);
  // Whether all rows of those sinks have been taken. Then they can be emptied, and it begins anew.
  bool take_emptied(std::span<const MutSink> sinks);

 private:
  std::vector<uint64_t> taken_;  // by sink
  std::vector<MutSink> out_;
};

// Threads: that of the runner. Ownership: its fleet, with a budget of its own, as large as the live one's.
class Canary {
 public:
  // `full`: rows of its sinks are to be taken, see Shard.
  Canary(Crew& crew, Fleet::Makeup makeup, Division division, uint64_t version,
         std::function<bool(Shard&)> full);

  Fleet& fleet() { return fleet_; }
  const Fleet& fleet() const { return fleet_; }
  const Division& division() const { return division_; }
  uint64_t version() const { return version_; }

  // Rows [row, row_end) of a batch of that source, divided: each version finds the events of the other marked
  // as elsewhere. Good until the next call; the batch stays where it is.
  void divide(size_t source, const MutBatch& rows, uint32_t row, uint32_t row_end);
  const MutBatch& outside() const { return outside_; }
  const MutBatch& inside() const { return inside_; }
  // The rows that were divided last have been run by both.
  void count_divided() { counts_.records += std::exchange(divided_, 0); }
  // What it has told, of its own rows; moves it to that log.
  void tell(ErrorLog& log);
  // Of its own events, of those that it has told.
  const EventCounts& counts() const { return counts_; }

 private:
  bool is_inside(const abi::TypeDesc& type, const void* values, uint32_t row) const;

  Division division_;
  uint64_t version_;
  Fleet fleet_;
  std::vector<uint8_t> outside_bad_;
  std::vector<uint8_t> inside_bad_;
  MutBatch outside_{};
  MutBatch inside_{};
  uint64_t divided_ = 0;  // of its own, of the rows that were divided last
  EventCounts counts_;
};

}  // namespace mut::runtime
