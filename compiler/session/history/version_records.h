// What is known of the versions of an engine, in the order of their numbers: the newest as they are, older
// ones packed. Threads: one at a time.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/session/history/record_pack.h"
#include "mutstream/engine.h"

namespace mut::session {

class VersionRecords {
 public:
  // Of this many more is done than reading: an edit looks at what runs, an undo a few steps back.
  static constexpr size_t open_records = 16;

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  uint64_t newest() const { return entries_.empty() ? 0 : entries_.back().version; }
  std::optional<VersionRecord> find(uint64_t version) const;
  std::vector<VersionRecord> all() const;

  // One of the same number is replaced.
  void put(VersionRecord record);
  // Returns whether the version is there. `change` leaves the number as it is.
  bool change(uint64_t version, const std::function<void(VersionRecord&)>& change);
  std::vector<uint64_t> with(VersionRecord::Outcome outcome) const;
  // Lets the oldest go until there are `limit`, but none that waits, nor `running`.
  void keep_newest(size_t limit, uint64_t running);

 private:
  struct Entry {
    uint64_t version = 0;
    VersionRecord::Outcome outcome = VersionRecord::Outcome::Waiting;
    std::optional<VersionRecord> open;
    std::string packed;  // when it is not open
  };
  static VersionRecord record_of(const Entry& entry);
  const Entry* entry(uint64_t version) const;
  void pack(Entry& entry);

  std::deque<Entry> entries_;
  RecordPacker packer_;
};

}  // namespace mut::session
