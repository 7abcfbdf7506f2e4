// By which watermark each stage goes: the sources above it, `window all` stages, and what joins give late.
#pragma once
#include <vector>

#include "compiler/graph/graph.h"
#include "runtime/graph/plan.h"

namespace mut::session {

struct Clocks {
  std::vector<runtime::Clock> of_store;
  std::vector<runtime::Clock> after;  // by stream: behind its last stage
  std::vector<int> bit_of;            // by store: of a `window all`; -1: of others
};

Clocks clocks_of(const graph::Graph& graph);

}  // namespace mut::session
