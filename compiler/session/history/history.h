// The versions of one engine: what is known of each, and which one an undo goes back to.
//
// Ownership: keeps the checked programs of the versions that undo and redo can reach.
// Threads: any, all methods.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "compiler/session/program.h"
#include "mutstream/engine.h"

namespace mut::session {

enum class StepKind : uint8_t { Edit, Undo, Redo };

class History {
 public:
  // Of this many versions more is kept than the file has, if there is one.
  static constexpr size_t records_kept = 1000;
  // Checked programs are large: some hundred kilobytes each.
  static constexpr size_t undo_steps = 16;

  // Adds what is known of a version. `record` has number, parent, script, params; hashes are filled in here.
  // A version that is there already, but waits, is replaced: it was compared anew.
  void add(VersionRecord record);
  // The version waits for its cut or runs: undo can come back to it. `from`: what ran before it.
  void keep(uint64_t version, uint64_t from, StepKind kind, std::shared_ptr<Program> program);
  // It runs from now on, and the one that ran does not any more.
  void take(const SwapReport& report);
  void settle(uint64_t version, VersionRecord::Outcome outcome, std::string reason);
  // What waits never will be taken.
  void end();

  struct Step {
    uint64_t version = 0;
    std::shared_ptr<Program> program;
  };
  // Where `kind` goes from that version. Empty: nowhere.
  std::optional<Step> step(uint64_t version, StepKind kind) const;

  std::vector<VersionRecord> records() const;

 private:
  // undo_to[v], redo_to[v] of a version that ran or waits; 0: none.
  struct Kept {
    std::shared_ptr<Program> program;
    uint64_t undo_to = 0;
    uint64_t redo_to = 0;
  };
  VersionRecord* find(uint64_t version);
  void forget_unreachable();

  mutable std::mutex mutex_;
  std::deque<VersionRecord> records_;  // in order of versions
  std::map<uint64_t, Kept> kept_;
  uint64_t running_ = 0;
};

}  // namespace mut::session
