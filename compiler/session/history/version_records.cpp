#include "compiler/session/history/version_records.h"

#include <algorithm>
#include <utility>

namespace mut::session {

VersionRecord VersionRecords::record_of(const Entry& entry) {
  return entry.open ? *entry.open : RecordPacker::unpack(entry.packed);
}

const VersionRecords::Entry* VersionRecords::entry(uint64_t version) const {
  auto place = std::lower_bound(entries_.begin(), entries_.end(), version,
                                [](const Entry& known, uint64_t number) { return known.version < number; });
  return place != entries_.end() && place->version == version ? &*place : nullptr;
}

std::optional<VersionRecord> VersionRecords::find(uint64_t version) const {
  const Entry* known = entry(version);
  if (known == nullptr) return std::nullopt;
  return record_of(*known);
}

std::vector<VersionRecord> VersionRecords::all() const {
  std::vector<VersionRecord> out;
  out.reserve(entries_.size());
  for (const Entry& known : entries_) out.push_back(record_of(known));
  return out;
}

std::vector<uint64_t> VersionRecords::with(VersionRecord::Outcome outcome) const {
  std::vector<uint64_t> out;
  for (const Entry& known : entries_) {
    if (known.outcome == outcome) out.push_back(known.version);
  }
  return out;
}

void VersionRecords::pack(Entry& entry) {
  if (!entry.open) return;
  entry.packed = packer_.pack(*entry.open);
  entry.open.reset();
}

void VersionRecords::put(VersionRecord record) {
  if (change(record.version, [&](VersionRecord& known) { known = std::move(record); })) return;
  // Edits that are built at the same time end in any order.
  auto place = entries_.end();
  while (place != entries_.begin() && std::prev(place)->version > record.version) --place;
  uint64_t version = record.version;
  VersionRecord::Outcome outcome = record.outcome;
  place = entries_.insert(place, Entry{version, outcome, std::move(record), ""});
  if (entries_.size() <= open_records) return;
  pack(entries_[entries_.size() - open_records - 1]);
  if (static_cast<size_t>(entries_.end() - place) > open_records) pack(*place);
}

bool VersionRecords::change(uint64_t version, const std::function<void(VersionRecord&)>& change) {
  auto* known = const_cast<Entry*>(entry(version));
  if (known == nullptr) return false;
  bool packed = !known->open;
  if (packed) known->open = RecordPacker::unpack(known->packed);
  change(*known->open);
  known->outcome = known->open->outcome;
  if (packed) pack(*known);
  return true;
}

void VersionRecords::keep_newest(size_t limit, uint64_t running) {
  auto let_go = [&](const Entry& known) {
    return known.outcome != VersionRecord::Outcome::Waiting && known.version != running;
  };
  while (entries_.size() > limit) {
    auto oldest = std::find_if(entries_.begin(), entries_.end(), let_go);
    if (oldest == entries_.end()) return;
    entries_.erase(oldest);
  }
}

}  // namespace mut::session
