// The versions of one engine: what is known of each, and which one an undo goes back to.
//
// With a file, what waits for its cut is durable before it is taken; what became of it is written behind the
// cut by a thread of its own, so that the rows never wait for a disk.
// Ownership: keeps the checked programs of the versions that undo and redo can reach.
// Threads: any, all methods.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "compiler/session/history/file.h"
#include "compiler/session/history/version_records.h"
#include "compiler/session/program.h"
#include "mutstream/engine.h"

namespace mut::session {

// Shadow: no step, of a candidate that runs beside; what it would lose is only a copy.
enum class StepKind : uint8_t { Edit, Undo, Redo, RollBack, Shadow };

class History {
 public:
  // Of this many versions more is kept than the file has, if there is one.
  static constexpr size_t records_kept = 1000;
  // Checked programs are large: some hundred kilobytes each.
  static constexpr size_t undo_steps = 16;

  // Parts of the file that could not be written yet.
  static constexpr size_t pending_max = 1000;

  ~History();
  // Goes on with the file: its records become those of this history. `notice`: what was wrong with it.
  Status open(env::Env& env, const std::string& path, std::string& notice);
  bool has_file() const { return file_ != nullptr; }
  // Numbers that the file has; the newest version that ran in it.
  uint64_t last_version() const { return last_version_; }
  uint64_t last_ran() const { return last_ran_; }

  // Adds what is known of a version. `record` has number, parent, script, params; hashes are filled in here.
  // A version that is there already, but waits, is replaced: it was compared anew. Of what waits or runs a
  // failure says that the file cannot take it: nothing was added.
  Status add(VersionRecord record);
  // The version waits for its cut or runs: undo can come back to it. `from`: what ran before it.
  void keep(uint64_t version, uint64_t from, StepKind kind, std::shared_ptr<Program> program);
  // It was not taken, but is still there: until it is kept again undo cannot come back to it.
  void forget(uint64_t version);
  // The script of a version that undo can come back to has other words now.
  void renew(uint64_t version, std::shared_ptr<Program> program);
  // It runs from now on, and the one that ran does not any more.
  void take(const SwapReport& report);
  void settle(uint64_t version, VersionRecord::Outcome outcome, std::string reason);
  // A guard wanted the version that runs taken back, and it could not be.
  void note(uint64_t version, std::string reason);
  // What waits never will be taken. Says whether the file has everything.
  Status end();

  struct Step {
    uint64_t version = 0;
    std::shared_ptr<Program> program;
  };
  // Where `kind` goes from that version. Empty: nowhere.
  std::optional<Step> step(uint64_t version, StepKind kind) const;

  std::vector<VersionRecord> records() const;
  // What became of the edits of this run, by outcome_name() and "taken"; those that wait still are not there.
  std::vector<std::pair<std::string, uint64_t>> counts() const;
  // When the oldest that waits for its cut was offered, nanoseconds since 1970.
  std::optional<int64_t> oldest_waiting_ns() const;
  // The version runs for some of the keys: it does not wait, though what becomes of it is open.
  void run_beside(uint64_t version);

 private:
  // undo_to[v], redo_to[v] of a version that ran or waits; 0: none.
  struct Kept {
    std::shared_ptr<Program> program;
    uint64_t undo_to = 0;
    uint64_t redo_to = 0;
    bool waits = true;  // for its cut: numbers do not come to run in their order
  };
  void forget_unreachable();
  void expect(std::string event);  // that it is written soon; `mutex_` is held
  void expect_outcome(uint64_t version);
  // What is pending, and then these.
  Status write(std::vector<std::string> events);
  void write_behind();
  void stop_writing();

  env::Env* env_ = nullptr;
  std::unique_ptr<HistoryFile> file_;
  uint64_t last_version_ = 0;
  uint64_t last_ran_ = 0;
  std::mutex writing_;  // taken before `mutex_`

  mutable std::mutex mutex_;
  VersionRecords records_;
  std::map<uint64_t, Kept> kept_;
  std::set<uint64_t> runs_beside_;
  std::map<std::string, uint64_t, std::less<>> counts_;
  uint64_t running_ = 0;
  std::deque<std::string> pending_;  // events for the file
  uint64_t lost_ = 0;                // of those, too many to keep
  std::condition_variable changed_;
  bool stop_ = false;
  bool ended_ = false;
  std::unique_ptr<env::Thread> writer_;
};

}  // namespace mut::session
