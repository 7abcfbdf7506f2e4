// State that edits dropped and that is kept for an undo: what a version has of it again, and what an edit
// adds.
#pragma once
#include <cstdint>
#include <vector>

#include "compiler/change/compare.h"
#include "compiler/change/transfers.h"

namespace mut::change {

// Where a new cell could come back from.
struct CameBack {
  const ParkedStore* parked = nullptr;  // null: from nowhere
  int cell = -1;                        // of its store
};

// By new cell, for those that `cells` says are new or a choice; what was dropped last is looked at first.
// `continues`: by new cell, the old one whose value it takes, or -1. Points into `parked`.
std::vector<CameBack> find_parked(const std::vector<ParkedStore>& parked, const graph::Graph& after,
                                  const State& new_state, const std::vector<int>& continues,
                                  const std::vector<CellPlan>& cells);

// Old stores with cells that go nowhere are kept under that version, and what goes over of them is a copy.
// `sources`: by new cell.
void park(uint64_t version, const State& old_state, const std::vector<CellSources>& sources, SwapPlan& plan);

// What `plan` has decided to restore comes back into its stores. `found`: by find_parked().
void bring_back(const std::vector<CameBack>& found, const graph::Graph& after, const State& new_state,
                SwapPlan& plan);

}  // namespace mut::change
