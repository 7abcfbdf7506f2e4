// Behind the public Engine: one program's versions, its shard, its compiler.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "compiler/session/connect.h"
#include "compiler/session/optimiser.h"
#include "compiler/session/program.h"
#include "mutstream/engine.h"
#include "runtime/connector/columns/columns.h"
#include "runtime/connector/memory/memory.h"
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
    std::shared_ptr<runtime::Plan> unused;
    std::shared_ptr<connector::RowQueue> rows;
    std::shared_ptr<connector::TextQueue> text;
    std::optional<connector::ReplayedColumns> columns;
  };
  std::map<std::string, HostSource> host_sources;
  std::map<std::string, std::function<void(const RowView&)>> host_sinks;

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
    std::shared_ptr<session::Program> compared_with;
  };
  // Guards what a thread that offers an edit shares with the one that runs: everything below to the blank
  // line, and `program`, `versions`.
  std::mutex mutex;
  std::optional<Waiting> candidate;
  runtime::Kernels running_kernels;
  std::shared_ptr<const graph::Graph> running_graph;
  std::vector<uint64_t> store_entries;

  std::optional<Waiting> waiting;  // scheduled, not taken yet
  std::optional<SwapReport> done;

  // Rendered diagnostics of a check.
  std::string render(const diag::Engine& diags, const source::SourceSet& sources) const;
  // Kernels for a program, quick or as the options say; counts what it took.
  Outcome<runtime::Kernels> compile(const session::Program& made, int64_t* spent_ns, bool* compiled);
  Outcome<std::unique_ptr<connector::SourceReader>> open_source(const session::Program& made, size_t index);
  Outcome<runtime::OutletBinding> open_sink(const session::Program& made, size_t index);
  Outcome<runtime::Kernels> kernels_for(const session::Program& made, SwapReport& report, bool* optimised);
  Outcome<Done> open_added(const session::Program& before, const session::Program& made,
                           const runtime::Migration& migration, runtime::PreparedSwap& swap);
  void take_candidate();
  void take_optimised();
  session::Optimiser::Start optimiser_start() const {
    return running_optimised ? session::Optimiser::Start::Optimised : session::Optimiser::Start::Quick;
  }
  void settle_swap();
  bool disturb();
  const typed::Source* find_source(const std::string& source_name) const;
};

}  // namespace mut
