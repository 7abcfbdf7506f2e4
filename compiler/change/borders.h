// What an edit does at the borders: sources, sinks and params.
#pragma once
#include "compiler/change/compare.h"

namespace mut::change {

// Fills the notes, params and renames of `plan`; `old_params` as in CompareOptions. `state_lost`: some cell
// is dropped or to be chosen for.
void compare_borders(const typed::Program& before, const typed::Program& after, const FormerNames& names,
                     const std::vector<std::string>& old_params, bool state_lost, SwapPlan& plan,
                     std::vector<Refusal>& refusals);

// Sources of `after` that would read something else, by bit.
uint64_t replaced_sources(const typed::Program& before, const typed::Program& after,
                          const FormerNames& names);

// Why the records of the sources of `after` are not those that `before` reads, in the same order and of the
// same times; empty: they are.
std::string reads_otherwise(const typed::Program& before, const typed::Program& after);

}  // namespace mut::change
