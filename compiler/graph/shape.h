// What machine code depends on: literals, expressions that are named by number, and the shape of it all.
#pragma once
#include "compiler/graph/graph.h"

namespace mut::graph {

// Fills literals, regular expressions, zones, runtime types and shape of a graph that is otherwise complete.
void describe_code(Graph& graph);

}  // namespace mut::graph
