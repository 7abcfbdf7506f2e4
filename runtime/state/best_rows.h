// Of the groups of a window those that a `top` behind the aggregate can take: the others are not made rows.
#pragma once
#include <vector>

#include "runtime/state/keyed_table.h"

namespace mut::state {

// Whether results of such a cell can be compared, and told to be no error, in the memory of a row.
bool is_seen_in_row(const CellDesc& cell);

// Rows of `table` that are among the best by the result of a cell, with all that equal the last of them, and
// those whose results are errors, for these are told. In no order. Valid until the table changes.
std::vector<const char*> find_best_rows(const KeyedTable& table, const BestRows& best);

}  // namespace mut::state
