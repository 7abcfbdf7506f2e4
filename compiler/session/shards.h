// What an edit asks of several shards.
#pragma once
#include <string>

#include "compiler/session/program.h"
#include "runtime/swap/migration.h"

namespace mut::session {

// Why state cannot go over, a line for each store; empty: it can. An edit may spread a stage by another key,
// and not all state can be dealt out anew.
std::string stays_in_shards(const runtime::Migration& migration, const Program& before, const Program& after);

}  // namespace mut::session
