#include "compiler/session/history/history.h"

#include <algorithm>
#include <set>

#include "compiler/session/history/digest.h"

namespace mut {

std::string_view outcome_name(VersionRecord::Outcome outcome) {
  constexpr std::string_view names[] = {"waiting", "running",    "retired",        "equivalent",
                                        "failed",  "refused",    "needs-decision", "superseded",
                                        "aborted", "rolled-back"};
  return names[static_cast<size_t>(outcome)];
}

}  // namespace mut

namespace mut::session {

VersionRecord* History::find(uint64_t version) {
  auto place =
      std::lower_bound(records_.begin(), records_.end(), version,
                       [](const VersionRecord& record, uint64_t number) { return record.version < number; });
  return place != records_.end() && place->version == version ? &*place : nullptr;
}

void History::add(VersionRecord record) {
  std::lock_guard lock(mutex_);
  if (const VersionRecord* parent = find(record.parent)) record.parent_hash = parent->hash;
  record.hash = version_hash(record);
  if (VersionRecord* known = find(record.version)) {
    *known = std::move(record);
    return;
  }
  // Edits that are built at the same time end in any order.
  auto place = records_.end();
  while (place != records_.begin() && std::prev(place)->version > record.version) --place;
  records_.insert(place, std::move(record));
  // What waits or runs stays, however old.
  auto let_go = [&](const VersionRecord& known) {
    return known.outcome != VersionRecord::Outcome::Waiting && known.version != running_;
  };
  if (records_.size() > records_kept) {
    auto oldest = std::find_if(records_.begin(), records_.end(), let_go);
    if (oldest != records_.end()) records_.erase(oldest);
  }
}

void History::keep(uint64_t version, uint64_t from, StepKind kind, std::shared_ptr<Program> program) {
  std::lock_guard lock(mutex_);
  Kept made{std::move(program), from, 0};
  if (auto before = kept_.find(from); before != kept_.end() && kind != StepKind::Edit) {
    uint64_t restored = kind == StepKind::Undo ? before->second.undo_to : before->second.redo_to;
    if (auto known = kept_.find(restored); known != kept_.end()) {
      made.undo_to = known->second.undo_to;
      made.redo_to = kind == StepKind::Undo ? from : known->second.redo_to;
    }
  }
  kept_[version] = std::move(made);
  if (running_ == 0) running_ = version;
}

void History::take(const SwapReport& report) {
  std::lock_guard lock(mutex_);
  if (VersionRecord* before = find(running_)) before->outcome = VersionRecord::Outcome::Retired;
  running_ = report.version;
  if (VersionRecord* record = find(report.version)) {
    record->outcome = VersionRecord::Outcome::Running;
    record->cut = report.cut;
    record->pause_ns = report.pause_ns;
    record->entries_converted = report.entries_converted;
  }
  forget_unreachable();
}

void History::settle(uint64_t version, VersionRecord::Outcome outcome, std::string reason) {
  std::lock_guard lock(mutex_);
  if (VersionRecord* record = find(version)) {
    record->outcome = outcome;
    record->reason = std::move(reason);
  }
  kept_.erase(version);
}

void History::end() {
  std::lock_guard lock(mutex_);
  for (VersionRecord& record : records_) {
    if (record.outcome != VersionRecord::Outcome::Waiting) continue;
    record.outcome = VersionRecord::Outcome::Aborted;
    record.reason = "the run ended before its cut";
  }
}

std::optional<History::Step> History::step(uint64_t version, StepKind kind) const {
  std::lock_guard lock(mutex_);
  auto from = kept_.find(version);
  if (from == kept_.end()) return std::nullopt;
  auto to = kept_.find(kind == StepKind::Undo ? from->second.undo_to : from->second.redo_to);
  if (to == kept_.end()) return std::nullopt;
  return Step{to->first, to->second.program};
}

std::vector<VersionRecord> History::records() const {
  std::lock_guard lock(mutex_);
  return {records_.begin(), records_.end()};
}

// Stays: what runs, what waits, and `undo_steps` in either direction from there.
void History::forget_unreachable() {
  std::set<uint64_t> reached;
  auto walk = [&](uint64_t version, uint64_t Kept::* next) {
    for (size_t steps = 0; steps <= undo_steps; ++steps) {
      auto known = kept_.find(version);
      if (known == kept_.end()) return;
      reached.insert(version);
      // What a redo brings back can be undone again.
      if (next == &Kept::redo_to) reached.insert(known->second.undo_to);
      version = known->second.*next;
    }
  };
  for (const auto& [version, kept] : kept_) {
    if (version < running_) continue;
    walk(version, &Kept::undo_to);
    if (kept.redo_to != 0) walk(kept.redo_to, &Kept::redo_to);
  }
  std::erase_if(kept_, [&](const auto& known) { return !reached.contains(known.first); });
}

}  // namespace mut::session
