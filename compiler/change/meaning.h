// Whether two texts say the same: everything that reaches a sink, as hashes.
#pragma once
#include <map>
#include <string>

#include "compiler/change/hash.h"
#include "compiler/graph/graph.h"

namespace mut::change {

struct Meaning {
  Hash program;                         // equal: running the other version would change nothing
  std::map<std::string, Hash> streams;  // of those that reach a sink
};

// Comments, layout, names of locals, functions and fields in between, the order of commutative operands
// and what reaches no sink do not enter.
Meaning meaning_of(const graph::Graph& graph);

}  // namespace mut::change
