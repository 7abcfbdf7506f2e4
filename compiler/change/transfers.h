// From verdicts to data: which store of the old version each new store is filled from.
#pragma once
#include "compiler/change/cells.h"
#include "compiler/change/match.h"
#include "runtime/swap/migration.h"

namespace mut::change {

// `continues`: by new cell, the old cell whose value it takes, or -1. `conversions`: by new cell, how its
// keys go over, or -1.
std::vector<runtime::StoreMigration> plan_transfers(const graph::Graph& before, const State& old_state,
                                                    const graph::Graph& after, const State& new_state,
                                                    const std::vector<int>& continues,
                                                    const std::vector<int>& conversions, bool force_convert);

}  // namespace mut::change
