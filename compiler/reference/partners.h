// Which stages and cells of one version are those of the next (live-change.md 2.3).
#pragma once
#include <string>
#include <vector>

#include "compiler/reference/stage_views.h"

namespace mut::reference {

// By new stage: the old one that it continues, or null. Adds to `undecided` what no rule tells apart.
// `old_program`: the names that `was` of a stream may mean.
std::vector<const StageView*> partners_of(const std::vector<StageView>& before,
                                          const std::vector<StageView>& now,
                                          const typed::Program& old_program,
                                          std::vector<std::string>& undecided);

// By new cell: the old one of the stage before that it continues, or -1. As above.
std::vector<int> old_cells(const StageView& before, const StageView& now,
                           std::vector<std::string>& undecided);

}  // namespace mut::reference
