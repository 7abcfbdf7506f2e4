#pragma once
#include "compiler/graph/graph.h"

namespace mut::graph {

// The stores of a stage; `path` is "stream/stage". Empty for stateless stages.
std::vector<StoreNode> stores_of(const typed::Stage& stage, const std::string& path);

}  // namespace mut::graph
