// In which ways a cell differs from the one it continues.
#pragma once
#include <string>
#include <vector>

#include "compiler/change/cells.h"
#include "compiler/change/key_rule.h"
#include "compiler/change/types.h"
#include "compiler/change/verdicts.h"
#include "compiler/graph/bounds.h"

namespace mut::change {

struct Found {
  Difference difference;
  std::string detail;  // "1m → 30s"; may be empty
};

// `keys`: how those of `after` are made, where they are no longer the same words; else null.
std::vector<Found> differences(const Cell& before, const Cell& after, const KeyRule* keys = nullptr);
// Whether groups of this cell can become one.
bool merges(const Cell& cell);
// For each key of `after` the place of its lineage in `before`, or empty when one has none there or
// their numbers differ.
std::vector<int> key_places(const Cell& before, const Cell& after);
// An input of a merge that comes or goes leaves the lineage of the others as it is.
bool same_lineage(const HashSet& before, const HashSet& after);
// Whether two cells would hold the same: function, argument and filter.
bool same_content(const Cell& a, const Cell& b);
using graph::duration_text;

}  // namespace mut::change
