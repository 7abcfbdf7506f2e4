// Whether a program can be divided by a field of its events: for a canary, which runs for some of its values.
// See docs/design/0012-canary.md.
#pragma once
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace mut::graph {

struct Division {
  std::vector<int> fields;  // by source: which of its fields it is; -1: nothing reads the source
  std::vector<int> keys;    // by store: index into its keys
  // Why it cannot be divided, one line each; empty: it can.
  std::vector<std::string> problems;
};

// By the field of that name, which each source that is read has. `graph` is complete.
Division divide_by(const Graph& graph, const std::string& field);

}  // namespace mut::graph
