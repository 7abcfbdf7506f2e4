// What an engine has counted so far.
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/session/engine_state.h"

namespace mut {
namespace {

// Counts by place, in the order in which the places were first named.
class Losses {
 public:
  explicit Losses(std::vector<std::pair<std::string, uint64_t>>& to) : to_(to) {}

  void add(const std::string& where, uint64_t count) {
    if (count == 0) return;
    auto [place, fresh] = places_.emplace(where, to_.size());
    if (fresh) to_.emplace_back(where, 0);
    to_[place->second].second += count;
  }

 private:
  std::vector<std::pair<std::string, uint64_t>>& to_;
  std::unordered_map<std::string, size_t> places_;
};

// What stages have let go of, and what came late.
void count_losses(const runtime::Fleet& fleet, Losses& dropped, Losses& late, EngineStats& out) {
  const runtime::Plan& plan = fleet.plan();
  for (size_t i = 0; i < plan.sites.size(); ++i) dropped.add(plan.sites[i].counter, fleet.dropped(i));
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    const state::Store& store = fleet.instance(0).store(i);
    dropped.add(store.let_go_path(), fleet.let_go_count(i));
    late.add(store.desc().path, fleet.late_count(i));
    out.late += fleet.late_count(i);
  }
}

}  // namespace

EngineStats Engine::stats() const {
  State& s = *state_;
  EngineStats out;
  out.version = 1;
  out.kernels_compiled = s.kernels_compiled;
  out.kernels_reused = s.kernels_reused;
  out.compile_ns = s.compile_ns;
  out.cells_converted = s.cells_converted;
  out.entries_converted = s.entries_converted;
  out.live_dylibs = s.jit ? s.jit->live_dylibs() : 0;
  std::set<uint64_t> alive = s.retired.waiting();
  if (s.running_kernels.owner) alive.insert(s.running_kernels.version);
  out.live_versions = alive.size();
  out.tier = s.options.tier == TierChoice::Quick                              ? "quick"
             : s.running_optimised || s.options.tier == TierChoice::Optimised ? "optimised"
                                                                              : "quick";
  if (!s.runner) return out;
  out.version = s.runner->version();
  if (s.checkpoints) {
    const session::CheckpointRun::Figures& of = s.checkpoints->figures();
    out.checkpoints = {of.taken,    of.abandoned,     of.number,      of.pause_ns,    of.pause_most_ns,
                       of.write_ns, of.written_bytes, of.state_bytes, of.memory_bytes};
  }
  out.records_in = s.runner->stats().records_in;
  out.rows_out = s.runner->stats().rows_out - s.runner->outlets().looked_rows();
  out.swaps = s.options.disturb == EngineOptions::Disturb::Swap ? s.runner->stats().swaps : s.real_swaps;
  out.event_errors = s.runner->errors().total();
  out.state_bytes = s.runner->budget().used();
  out.spilled_bytes = s.runner->budget().spilled();
  out.parked_bytes = s.runner->budget().parked();
  for (const runtime::SourceCount& count : s.runner->feeds().positions())
    out.positions.push_back({count.source, count.records});
  for (const auto& [stream, count] : s.runner->errors().counts())
    out.errors_by_stream.emplace_back(stream, count);
  Losses dropped(out.dropped_by_stage);
  Losses late(out.late_by_stage);
  for (const runtime::FeedState& feed : s.runner->feeds().states()) dropped.add(feed.name, feed.dropped);
  count_losses(s.runner->fleet(), dropped, late, out);
  if (const runtime::Canary* canary = s.runner->canary()) {
    count_losses(canary->fleet(), dropped, late, out);
    out.state_bytes += canary->fleet().budget().used();
    out.spilled_bytes += canary->fleet().budget().spilled();
  }
  return out;
}

}  // namespace mut
