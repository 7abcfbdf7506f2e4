// The rows of a table, key by key.
#pragma once
#include <vector>

#include "compiler/reference/state.h"

namespace mut::reference {

// Puts a row among those of its key, unless a newer one is all that is kept. Says whether it is the newest.
bool put_row(const typed::Stage& table, JoinRow row, std::vector<JoinRow>& rows);
// Whether rows of a key are forgotten, `time` being that of the newest.
bool is_gone(const typed::Stage& table, const StageState& state, int64_t time);
// All that can still be found, in order of arrival.
std::vector<JoinRow> rows_left(const typed::Stage& table, const StageState& state);

}  // namespace mut::reference
