// Programs whose rows several shards can share by their place, whatever their keys.
#pragma once
#include <optional>
#include <vector>

#include "compiler/typed/program.h"

namespace mut::graph {

struct Graph;

// Each row is processed by one shard, any. All that it may reach before its first state are windows in panes
// whose aggregates know no order: each shard has panes of its own, and the first one all of them before a
// window ends. What follows is on the first shard. See docs/design/0022-rows-in-parts.md.
struct Parts {
  std::vector<char> sources;  // by source: its rows are dealt out; the others fill tables that each shard has
  std::vector<char> streams;  // by stream: made of such rows, before any state
  std::vector<char> ends;     // by stream: what leaves it is such rows still
};

// None: the program has other state. `graph` has its streams, consumers and stores. `keyed`: by store whether
// it were by a key otherwise.
std::optional<Parts> find_parts(const Graph& graph, const std::vector<char>& keyed);

// Makes them the spread of a graph that keeps all state on the first shard: a row is one shard's from its
// source on, and what becomes of it is told by that one.
void deal_out(Graph& graph, Parts parts);

}  // namespace mut::graph
