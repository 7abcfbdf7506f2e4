// What an edit asks of several shards.
#pragma once
#include <functional>
#include <string>

#include "compiler/change/compare.h"
#include "compiler/session/program.h"
#include "runtime/swap/migration.h"

namespace mut::session {

// Says in the migration which keys of converted stores are keys of the old ones as they are.
void name_kept_keys(change::SwapPlan& plan);

// Why state cannot go over, a line for each store; empty: it can. An edit may spread a stage by another key,
// and not all state can be dealt out anew.
// `parked`: the plan of a store that was kept for an undo, where it is there.
std::string stays_in_shards(const runtime::Migration& migration, const Program& before, const Program& after,
                            const std::function<const runtime::StorePlan*(const runtime::ParkId&)>& parked);

}  // namespace mut::session
