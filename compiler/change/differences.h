// In which ways a cell differs from the one it continues.
#pragma once
#include <string>
#include <vector>

#include "compiler/change/cells.h"
#include "compiler/change/verdicts.h"
#include "compiler/graph/bounds.h"

namespace mut::change {

struct Found {
  Difference difference;
  std::string detail;  // "1m → 30s"; may be empty
};

std::vector<Found> differences(const Cell& before, const Cell& after);
// For each key of `after` the place of its lineage in `before`, or empty when one has none there or
// their numbers differ.
std::vector<int> key_places(const Cell& before, const Cell& after);
// Whether every value of `from` is one of `to`, stored as the same words.
bool widens(typed::TypeRef from, typed::TypeRef to);
// Whether two cells would hold the same: function, argument and filter.
bool same_content(const Cell& a, const Cell& b);
using graph::duration_text;

}  // namespace mut::change
