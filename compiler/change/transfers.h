// From verdicts to data: which store of the old version each new store is filled from.
#pragma once
#include "compiler/change/cells.h"
#include "compiler/change/match.h"
#include "runtime/swap/migration.h"

namespace mut::change {

struct CellSource {
  enum class Gives : uint8_t {
    Value,  // what the old cell holds
    Entry,  // nothing but its entries: the value is made by the conversion
  };
  int old_cell = -1;
  int conversion = -1;  // of its keys: SwapPlan::conversions; -1: they stay
  Gives gives = Gives::Value;
};
using CellSources = std::vector<CellSource>;

// `sources`: by new cell, the old cells whose value it takes.
std::vector<runtime::StoreMigration> plan_transfers(const graph::Graph& before, const State& old_state,
                                                    const graph::Graph& after, const State& new_state,
                                                    const std::vector<CellSources>& sources,
                                                    bool force_convert);

}  // namespace mut::change
