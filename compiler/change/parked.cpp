#include "compiler/change/parked.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/change/differences.h"

namespace mut::change {
namespace {

// Whether the store of that cell takes over some other cell, beside which it would come back.
bool has_company(const State& state, size_t cell, const std::vector<int>& continues) {
  for (size_t other = 0; other < state.cells.size(); ++other) {
    if (other != cell && state.cells[other].store == state.cells[cell].store && continues[other] >= 0)
      return true;
  }
  return false;
}

// The cell that was dropped and is the same; null: there is none.
const Cell* dropped_cell(const ParkedStore& parked, const State& old_state, const Cell& cell) {
  for (const Cell& was : old_state.cells) {
    if (was.store != parked.id.store || was.path != cell.path) continue;
    bool dropped = std::find(parked.cells.begin(), parked.cells.end(), was.index) != parked.cells.end();
    if (dropped && was.node->desc.kind == cell.node->desc.kind && differences(was, cell).empty()) return &was;
  }
  return nullptr;
}

bool goes_over(int old_cell, const std::vector<CellSources>& sources) {
  return std::any_of(sources.begin(), sources.end(), [&](const CellSources& of) {
    return std::any_of(of.begin(), of.end(), [&](const CellSource& source) {
      return source.old_cell == old_cell && source.gives == CellSource::Gives::Value;
    });
  });
}

// Whether all that a parked store holds comes back at its place.
bool is_whole(const runtime::ReturnPart& part, const ParkedStore& parked, const state::StoreDesc& desc) {
  const state::StoreDesc& was = parked.graph->stores[static_cast<size_t>(parked.id.store)].desc;
  if (was.cells.size() != part.cells.size() || was.row_size != desc.row_size) return false;
  for (size_t i = 0; i < part.cells.size(); ++i) {
    if (part.cells[i] != static_cast<int>(i)) return false;
  }
  return true;
}

}  // namespace

std::vector<CameBack> find_parked(const std::vector<ParkedStore>& parked, const graph::Graph& after,
                                  const State& new_state, const std::vector<int>& continues,
                                  const std::vector<CellPlan>& cells) {
  std::vector<CameBack> out(new_state.cells.size());
  if (parked.empty()) return out;
  State plain = describe_state(after, {});
  for (auto store = parked.rbegin(); store != parked.rend(); ++store) {
    State old_state = describe_state(*store->graph, {});
    for (size_t n = 0; n < new_state.cells.size(); ++n) {
      bool asked = cells[n].verdict == Verdict::New || cells[n].verdict == Verdict::Choice;
      if (!asked || out[n].parked != nullptr) continue;
      const state::StoreDesc& desc = new_state.cells[n].node->desc;
      if (desc.kind == state::StoreKind::Follow) continue;
      if (has_company(new_state, n, continues) && !state::can_return(desc)) continue;
      if (const Cell* was = dropped_cell(*store, old_state, plain.cells[n])) out[n] = {&*store, was->index};
    }
  }
  return out;
}

void park(uint64_t version, const State& old_state, const std::vector<CellSources>& sources, SwapPlan& plan) {
  std::map<int, std::vector<int>> by_store;
  for (size_t o = 0; o < old_state.cells.size(); ++o) {
    const Cell& cell = old_state.cells[o];
    if (!goes_over(static_cast<int>(o), sources)) by_store[cell.store].push_back(cell.index);
  }
  for (auto& [store, cells] : by_store) {
    plan.migration.parks.push_back({version, store});
    plan.parked_cells.push_back(std::move(cells));
    for (runtime::StoreMigration& made : plan.migration.stores) {
      if (made.old_store == store && made.transfer == runtime::StoreTransfer::Retune)
        made.transfer = runtime::StoreTransfer::Branch;
    }
  }
  for (CellPlan& cell : plan.cells) {
    if (cell.verdict == Verdict::Drop && cell.decision == "drop" && cell.entries.value_or(1) > 0)
      cell.reason += fmt::format("; kept for undo until v{}", version + parked_versions);
  }
}

void bring_back(const std::vector<CameBack>& found, const graph::Graph& after, const State& new_state,
                SwapPlan& plan) {
  std::map<runtime::ParkId, const ParkedStore*> stores;
  for (size_t n = 0; n < new_state.cells.size(); ++n) {
    if (plan.cells[n].decision != "restore-gap") continue;
    const Cell& cell = new_state.cells[n];
    runtime::StoreMigration& made = plan.migration.stores[static_cast<size_t>(cell.store)];
    const runtime::ParkId& id = found[n].parked->id;
    stores[id] = found[n].parked;
    auto part = std::find_if(made.returned.begin(), made.returned.end(),
                             [&](const runtime::ReturnPart& known) { return known.parked == id; });
    if (part == made.returned.end())
      part = made.returned.insert(part, {id, std::vector<int>(cell.node->desc.cells.size(), -1)});
    if (cell.index >= 0) part->cells[static_cast<size_t>(cell.index)] = found[n].cell;
  }
  for (size_t store = 0; store < plan.migration.stores.size(); ++store) {
    runtime::StoreMigration& made = plan.migration.stores[store];
    if (made.returned.size() != 1 || made.transfer != runtime::StoreTransfer::Fresh) continue;
    const runtime::ReturnPart& part = made.returned[0];
    made.returns_whole = is_whole(part, *stores[part.parked], after.stores[store].desc);
  }
}

}  // namespace mut::change
