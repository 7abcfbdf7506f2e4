// The canary of an engine: the one that runs or waits, or the last one.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "compiler/session/program.h"
#include "mutstream/engine.h"
#include "runtime/graph/plan.h"
#include "runtime/swap/migration.h"

namespace mut::session {

struct CanaryRun {
  CanaryRequest request;
  std::shared_ptr<Program> program;
  std::shared_ptr<Program> base;  // that runs for the other keys
  runtime::Kernels kernels;       // of the program; none once it is over
  bool optimised = false;         // these
  runtime::Migration forth;       // base → program, entry by entry
  runtime::Migration back;        // program → base
  // What completes or ends it waits for its cut, or has come.
  bool closing = false;
  CanaryReport report;          // but for what is counted while it runs
  uint64_t records_before = 0;  // of all sources
  uint64_t errors_before = 0;

  bool is_open() const {
    return report.life == CanaryReport::Life::Waits || report.life == CanaryReport::Life::Runs;
  }
};

// Makes of the migration of an edit one that goes entry by entry, and of which each side can have a part.
// Returns why it cannot be, a line each; empty: it can. `before_keys`, `after_keys`: by store, the key that
// divides.
std::string divide_migration(runtime::Migration& migration, const Program& before, const Program& after,
                             const std::vector<int>& before_keys, const std::vector<int>& after_keys);

}  // namespace mut::session
