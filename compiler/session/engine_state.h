// Behind the public Engine: one program's versions, its shard, its compiler.
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "compiler/session/connect.h"
#include "compiler/session/optimiser.h"
#include "compiler/session/program.h"
#include "mutstream/engine.h"
#include "runtime/connector/columns/columns.h"
#include "runtime/connector/pieces/pieces.h"
#include "runtime/env/real_env.h"
#include "runtime/graph/shard.h"

namespace mut {

struct Engine::State {
  EngineOptions options;
  std::unique_ptr<env::Env> env;
  std::unique_ptr<env::EventCount> wake;
  std::unique_ptr<jit::Jit> jit;
  std::unique_ptr<session::Optimiser> optimiser;
  std::unique_ptr<runtime::Shard> shard;
  std::shared_ptr<session::Program> program;  // that runs
  std::string name;
  std::string warnings;
  Failure failure;
  uint64_t versions = 1;  // numbers given, failed ones included
  bool started = false;
  bool running_optimised = false;
  uint64_t batches_disturbed = 0;

  session::Bindings bindings;
  struct HostSource {
    std::shared_ptr<connector::RowQueue> rows;
    std::shared_ptr<connector::PieceQueue> text;
    std::optional<connector::ReplayedColumns> columns;
  };
  std::map<std::string, HostSource> host_sources;
  struct HostSink {
    std::function<void(const RowView&)> rows;
    std::function<void(std::string_view)> lines;
    std::function<void(ArrowArray&, ArrowSchema&)> arrow;
  };
  std::map<std::string, HostSink> host_sinks;
  // Time of arrival while the clock is virtual. Read by sources on the running thread.
  std::atomic<int64_t> virtual_now{1'767'225'600'000'000'000};  // 2026-01-01T00:00:00Z
  int64_t now() {
    return options.clock == EngineOptions::Clock::Virtual ? virtual_now.load() : env->wall_ns();
  }

  std::vector<runtime::OutletBinding> outlets;  // open ones, to share writers

  uint64_t kernels_compiled = 0;
  uint64_t kernels_reused = 0;
  int64_t compile_ns = 0;
  uint64_t cells_converted = 0;
  uint64_t entries_converted = 0;
  uint64_t real_swaps = 0;
  struct Waiting {
    SwapReport report;
    std::shared_ptr<session::Program> program;
    runtime::PreparedSwap swap;
    runtime::Kernels kernels;
    bool optimised = false;
  };
  // One edit is prepared at a time, on the thread that offers it.
  std::mutex edit_mutex;
  // Guards what that thread shares with the one that runs: everything below to the blank line, and
  // `program`, `versions`, `outlets`, the counts of compilations, and what the host bound.
  mutable std::mutex mutex;
  // Edits that are ready, in the order in which they are taken: each was compared with the one before it.
  std::deque<Waiting> candidates;
  std::optional<Waiting> waiting;  // scheduled, not taken yet
  runtime::Kernels running_kernels;
  std::shared_ptr<const graph::Graph> running_graph;
  std::vector<uint64_t> store_entries;

  std::deque<SwapReport> done;
  std::atomic<bool> stop_asked{false};

  // Rendered diagnostics of a check.
  std::string render(const diag::Engine& diags, const source::SourceSet& sources) const;
  // Kernels for a program, quick or as the options say; counts what it took.
  Outcome<runtime::Kernels> compile(const session::Program& made, int64_t* spent_ns, bool* compiled);
  Outcome<std::unique_ptr<connector::SourceReader>> open_source(const session::Program& made, size_t index);
  Outcome<runtime::OutletBinding> open_sink(const session::Program& made, size_t index, std::string& notices);
  // What the next edit is compared with: the version that will run when it is taken.
  std::shared_ptr<session::Program> newest_version() const;
  // A copy, for threads that push.
  std::optional<HostSource> host_source(const std::string& source_name) const;
  // `queue` is that of the source; rows in the layout of its record.
  Outcome<Done> push_rows(const std::string& source, connector::RowQueue& queue, const char* rows,
                          size_t row_count);
  Outcome<runtime::Kernels> kernels_for(const session::Program& made, SwapReport& report, bool* optimised);
  Outcome<Done> open_added(const session::Program& before, const session::Program& made,
                           const runtime::Migration& migration, runtime::PreparedSwap& swap,
                           std::string& notices);
  void take_candidate();
  void take_optimised();
  session::Optimiser::Start optimiser_start() const {
    return running_optimised ? session::Optimiser::Start::Optimised : session::Optimiser::Start::Quick;
  }
  void settle_swap();
  bool disturb();
  const typed::Source* find_source(const std::string& source_name) const;
  bool closed() const { return options.world == EngineOptions::World::Closed; }
  // A version of the script as this engine runs it.
  std::shared_ptr<session::Program> make_version(std::string_view text, std::string script_name,
                                                 const std::shared_ptr<source::SourceSet>& sources,
                                                 diag::Engine& diags) const;
};

}  // namespace mut
