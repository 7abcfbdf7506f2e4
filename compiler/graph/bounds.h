// What bounds the state of each stage, in words.
#pragma once
#include "compiler/graph/graph.h"

namespace mut::graph {

// A duration as a script writes it.
std::string duration_text(int64_t nanoseconds);
// "events of the last 30m of each card". Never empty.
std::string bound_of(const state::StoreDesc& desc);
// A line for each store: its stage, then what bounds it.
std::string print_bounds(const Graph& graph);

}  // namespace mut::graph
