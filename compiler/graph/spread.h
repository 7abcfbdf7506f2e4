// Which of several shards processes an event, stage by stage.
//
// Every shard reads all rows of all sources, so that each knows each watermark as it was stamped, and does
// alike what keeps no state. Where state begins, an event goes on in the shard that its key says; stages that
// hand rows to each other are spread by one key that all of them have, or are together on the first shard.
// See docs/design/0009-shards.md.
#pragma once
#include <vector>

#include "compiler/graph/graph.h"

namespace mut::graph {

// Fills Graph::spread of a graph whose streams, consumers and stores are complete, and the homes of its
// stores.
void spread_over_shards(Graph& graph);

}  // namespace mut::graph
