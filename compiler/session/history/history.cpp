#include "compiler/session/history/history.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "compiler/session/history/digest.h"
#include "compiler/session/history/record_json.h"
#include "mutstream/tooling.h"

namespace mut::session {

Status History::add(VersionRecord record) {
  {
    std::lock_guard lock(mutex_);
    if (auto parent = records_.find(record.parent)) record.parent_hash = parent->hash;
    record.hash = version_hash(record);
  }
  if (file_) {
    bool first = record.outcome == VersionRecord::Outcome::Running;
    if (first || record.outcome == VersionRecord::Outcome::Waiting) {
      std::vector<std::string> events;
      if (first) events.push_back(run_event(record.name, version_text(), record.time_ns));
      events.push_back(version_event(record));
      Status written = write(std::move(events));
      if (!written) return written.error().within("history");
    } else {
      std::lock_guard lock(mutex_);
      expect(version_event(record));
    }
  }
  std::lock_guard lock(mutex_);
  bool settled =
      record.outcome != VersionRecord::Outcome::Running && record.outcome != VersionRecord::Outcome::Waiting;
  if (settled) ++counts_[std::string(outcome_name(record.outcome))];
  records_.put(std::move(record));
  records_.keep_newest(records_kept, running_);
  return Unit{};
}

void History::keep(uint64_t version, uint64_t from, StepKind kind, std::shared_ptr<Program> program) {
  std::lock_guard lock(mutex_);
  Kept made{std::move(program), from, 0};
  if (auto before = kept_.find(from); before != kept_.end() && kind != StepKind::Edit) {
    uint64_t restored = kind == StepKind::Redo ? before->second.redo_to : before->second.undo_to;
    if (auto known = kept_.find(restored); known != kept_.end()) {
      made.undo_to = known->second.undo_to;
      // What a guard took back is not offered again.
      made.redo_to = kind == StepKind::Undo ? from : kind == StepKind::Redo ? known->second.redo_to : 0;
    }
  }
  kept_[version] = std::move(made);
  if (running_ != 0) return;
  running_ = version;
  kept_[version].waits = false;
}

void History::forget(uint64_t version) {
  std::lock_guard lock(mutex_);
  kept_.erase(version);
}

void History::renew(uint64_t version, std::shared_ptr<Program> program) {
  std::lock_guard lock(mutex_);
  if (auto known = kept_.find(version); known != kept_.end()) known->second.program = std::move(program);
}

void History::take(const SwapReport& report) {
  std::lock_guard lock(mutex_);
  const bool rolled_back = !report.cause.empty();
  const uint64_t before = running_;
  records_.change(before, [&](VersionRecord& record) {
    record.outcome = rolled_back ? VersionRecord::Outcome::RolledBack : VersionRecord::Outcome::Retired;
    if (rolled_back) record.reason = report.cause;
  });
  running_ = report.version;
  runs_beside_.erase(report.version);
  ++counts_[rolled_back ? "rolled-back" : "taken"];
  if (auto known = kept_.find(running_); known != kept_.end()) known->second.waits = false;
  records_.change(report.version, [&](VersionRecord& record) {
    record.outcome = VersionRecord::Outcome::Running;
    record.cut = report.cut;
    record.pause_ns = report.pause_ns;
    record.entries_converted = report.entries_converted;
    record.shadow = report.shadow;
  });
  expect_outcome(report.version);
  if (rolled_back) expect_outcome(before);
  forget_unreachable();
}

void History::settle(uint64_t version, VersionRecord::Outcome outcome, std::string reason) {
  std::lock_guard lock(mutex_);
  runs_beside_.erase(version);
  ++counts_[std::string(outcome_name(outcome))];
  records_.change(version, [&](VersionRecord& record) {
    record.outcome = outcome;
    record.reason = std::move(reason);
  });
  expect_outcome(version);
  kept_.erase(version);
}

std::vector<std::pair<std::string, uint64_t>> History::counts() const {
  std::lock_guard lock(mutex_);
  return {counts_.begin(), counts_.end()};
}

std::optional<int64_t> History::oldest_waiting_ns() const {
  std::lock_guard lock(mutex_);
  for (uint64_t version : records_.with(VersionRecord::Outcome::Waiting)) {
    if (!runs_beside_.contains(version)) return records_.find(version)->time_ns;
  }
  return std::nullopt;
}

void History::run_beside(uint64_t version) {
  std::lock_guard lock(mutex_);
  runs_beside_.insert(version);
}

void History::note(uint64_t version, std::string reason) {
  std::lock_guard lock(mutex_);
  if (version != running_) return;
  records_.change(version, [&](VersionRecord& record) { record.reason = std::move(reason); });
  expect_outcome(version);
}

// `mutex_` is held.
void History::expect_outcome(uint64_t version) {
  if (!file_) return;
  if (auto record = records_.find(version)) expect(outcome_event(*record, env_->wall_ns()));
}

Status History::end() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return Unit{};
    for (uint64_t version : records_.with(VersionRecord::Outcome::Waiting)) {
      ++counts_[std::string(outcome_name(VersionRecord::Outcome::Aborted))];
      records_.change(version, [](VersionRecord& record) {
        record.outcome = VersionRecord::Outcome::Aborted;
        record.reason = "the run ended before its cut";
      });
      expect_outcome(version);
    }
  }
  if (!file_) return Unit{};
  stop_writing();
  Status waited = write({});
  size_t unwritten = 0;
  {
    // It is now or never: a line that says how many there were fits where they do not.
    std::lock_guard lock(mutex_);
    unwritten = pending_.size() + lost_;
    lost_ = unwritten;
    pending_.clear();
  }
  Status written = write({end_event(env_->wall_ns())});
  if (!written) return written.error().within("history");
  if (unwritten == 0) return Unit{};
  return Error{"history: " + std::to_string(unwritten) +
               " lines could not be written: " + waited.error().message};
}

History::~History() { stop_writing(); }

void History::stop_writing() {
  if (!writer_) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  writer_->join();
  writer_.reset();
}

Status History::open(env::Env& env, const std::string& path, std::string& notice) {
  HistoryContent content;
  auto opened = HistoryFile::open(env, path, records_kept, content);
  if (!opened) return opened.error().within("history");
  if (content.torn_bytes > 0) {
    notice += "history: " + path + ": the last line was not written to its end; " +
              std::to_string(content.torn_bytes) + " bytes are cut off\n";
  }
  // Its runs are over.
  settle_ended(content);
  std::lock_guard lock(mutex_);
  for (VersionRecord& record : content.newest) records_.put(std::move(record));
  last_version_ = content.last_version;
  last_ran_ = content.last_ran;
  env_ = &env;
  file_ = std::move(opened).value();
  writer_ = env.start_thread("mut-history", [this] { write_behind(); });
  return Unit{};
}

void History::expect(std::string event) {
  pending_.push_back(std::move(event));
  // Only where the disk takes nothing for long.
  if (pending_.size() > pending_max) {
    pending_.pop_front();
    ++lost_;
  }
  changed_.notify_all();
}

Status History::write(std::vector<std::string> events) {
  std::lock_guard writing(writing_);
  std::vector<std::string> waited;
  uint64_t lost = 0;
  uint64_t highest = 0;
  {
    std::lock_guard lock(mutex_);
    lost = std::exchange(lost_, 0);
    highest = records_.newest();
    waited.assign(pending_.begin(), pending_.end());
    pending_.clear();
  }
  if (waited.empty() && events.empty()) return Unit{};
  std::vector<std::string> all;
  if (lost > 0) all.push_back(lost_event(lost, highest, env_->wall_ns()));
  all.insert(all.end(), waited.begin(), waited.end());
  all.insert(all.end(), events.begin(), events.end());
  Status written = file_->append(all);
  if (written) return written;
  // One large script may be too much for a disk where everything else fits.
  bool apart = !waited.empty();
  std::erase_if(waited, [&](const std::string& event) { return file_->append({event}).ok(); });
  if (apart && !events.empty()) written = file_->append(events);
  std::lock_guard lock(mutex_);
  lost_ += lost;
  pending_.insert(pending_.begin(), waited.begin(), waited.end());
  return written;
}

void History::write_behind() {
  constexpr auto try_again = std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !pending_.empty(); });
    if (pending_.empty()) return;
    bool last = stop_;
    lock.unlock();
    Status written = write({});
    lock.lock();
    if (last) return;
    if (!written) changed_.wait_for(lock, try_again, [this] { return stop_; });
  }
}

std::optional<History::Step> History::step(uint64_t version, StepKind kind) const {
  std::lock_guard lock(mutex_);
  auto from = kept_.find(version);
  if (from == kept_.end()) return std::nullopt;
  auto to = kept_.find(kind == StepKind::Redo ? from->second.redo_to : from->second.undo_to);
  if (to == kept_.end()) return std::nullopt;
  return Step{to->first, to->second.program};
}

std::vector<VersionRecord> History::records() const {
  std::lock_guard lock(mutex_);
  return records_.all();
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
    if (!kept.waits && version != running_) continue;
    walk(version, &Kept::undo_to);
    if (kept.redo_to != 0) walk(kept.redo_to, &Kept::redo_to);
  }
  std::erase_if(kept_, [&](const auto& known) { return !reached.contains(known.first); });
}

}  // namespace mut::session
