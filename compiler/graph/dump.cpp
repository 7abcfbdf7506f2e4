#include <fmt/format.h>

#include <algorithm>

#include "compiler/graph/bounds.h"
#include "compiler/graph/graph.h"

namespace mut::graph {
namespace {

const char* store_name(state::StoreKind kind) {
  using state::StoreKind;
  switch (kind) {
    case StoreKind::Groups:
      return "groups";
    case StoreKind::Panes:
      return "panes";
    case StoreKind::Sessions:
      return "sessions";
    case StoreKind::Whole:
      return "whole";
    case StoreKind::Ring:
      return "ring";
    case StoreKind::Dedupe:
      return "dedupe";
    case StoreKind::Join:
      return "join";
    case StoreKind::Overlaps:
      return "overlaps";
    case StoreKind::Held:
      return "held";
    case StoreKind::Match:
      return "match";
    case StoreKind::Table:
      return "table";
    case StoreKind::Counts:
      return "counts";
    case StoreKind::Process:
      return "process";
    case StoreKind::Follow:
      return "follow";
  }
  return "?";
}

std::string consumer_text(const Graph& graph, const Consumer& consumer) {
  const typed::Program& program = *graph.program;
  auto index = static_cast<size_t>(consumer.index);
  switch (consumer.kind) {
    case Consumer::Kind::Stream:
      return "stream @" + program.streams[index].name;
    case Consumer::Kind::Route:
      return "route";
    case Consumer::Kind::Emit:
      return "emit @" + program.emits[index].name;
    case Consumer::Kind::Join:
      return "join @" + program.streams[index].name;
    case Consumer::Kind::Set:
      return "set @" + program.params[static_cast<size_t>(program.sets[index].param)].name;
  }
  return "";
}

// A pipeline as a tree of what happens to one event; results of windows start pipelines of their own.
void print_stream(const Graph& graph, int index, size_t first_stage, int indent, std::string& out,
                  std::vector<std::pair<int, size_t>>& later) {
  const typed::Stream& stream = graph.program->streams[static_cast<size_t>(index)];
  std::string pad(static_cast<size_t>(indent) * 2, ' ');
  for (size_t i = first_stage; i < stream.stages.size(); ++i) {
    const typed::Stage& stage = stream.stages[i];
    out += pad + stage.keyword + " @" + stream.name + "/" + stage.name;
    for (int store : graph.stage_stores[static_cast<size_t>(index)][i]) {
      out += fmt::format(" [{} {}]", store_name(graph.stores[static_cast<size_t>(store)].desc.kind), store);
    }
    out += "\n";
    for (int store : graph.stage_stores[static_cast<size_t>(index)][i])
      out += pad + "  keeps " + bound_of(graph.stores[static_cast<size_t>(store)].desc) + "\n";
    if (is_breaker(stage)) {
      later.emplace_back(index, i + 1);
      return;
    }
  }
  for (const Consumer& consumer : graph.consumers[static_cast<size_t>(index)]) {
    out += pad + consumer_text(graph, consumer) + "\n";
    if (consumer.kind == Consumer::Kind::Stream)
      print_stream(graph, consumer.index, 0, indent + 1, out, later);
    if (consumer.kind == Consumer::Kind::Route) {
      for (const typed::RouteBranch& branch :
           graph.program->routes[static_cast<size_t>(consumer.index)].branches) {
        if (!graph.live[static_cast<size_t>(branch.stream)]) continue;
        out += pad + "  branch @" + graph.program->streams[static_cast<size_t>(branch.stream)].name + "\n";
        print_stream(graph, branch.stream, 0, indent + 2, out, later);
      }
    }
  }
}

}  // namespace

std::string dump(const Graph& graph) {
  std::string out;
  const typed::Program& program = *graph.program;
  for (size_t i = 0; i < program.streams.size(); ++i) {
    const typed::Stream& stream = program.streams[i];
    out += "node @" + stream.name + (graph.live[i] ? "" : " (not read)") + "\n";
    for (const Consumer& consumer : graph.consumers[i])
      out += "  -> " + consumer_text(graph, consumer) + "\n";
    std::string fields;
    for (size_t f = 0; f < stream.type->fields.size(); ++f) {
      if (!graph.needs[i].empty() && graph.needs[i].front().size() > f && graph.needs[i].front()[f] &&
          stream.stages.empty()) {
        fields += " " + stream.type->fields[f].name;
      }
    }
    if (!fields.empty()) out += "  needs" + fields + "\n";
    for (const ReaderIndex& index : graph.reader_indexes) {
      if (index.stream != static_cast<int>(i)) continue;
      auto by_value = std::count_if(index.slots.begin(), index.slots.end(),
                                    [](const std::vector<int>& slots) { return !slots.empty(); });
      out += fmt::format("  {} of {} readers by {}\n", by_value, index.slots.size(),
                         stream.type->fields[static_cast<size_t>(index.field)].name);
    }
  }
  for (size_t i = 0; i < graph.stores.size(); ++i) {
    const state::StoreDesc& desc = graph.stores[i].desc;
    out += fmt::format("store {} {} @{} row {} bytes\n", i, store_name(desc.kind), desc.path, desc.row_size);
    for (const state::KeyDesc& key : desc.keys) out += "  key " + key.name + "\n";
    for (const state::CellDesc& cell : desc.cells)
      out += fmt::format("  cell {}/{} at {}\n", desc.path, cell.name, cell.offset);
  }
  return out;
}

std::string dump_pipelines(const Graph& graph) {
  std::string out;
  std::vector<std::pair<int, size_t>> later;
  for (const typed::Source& source : graph.program->sources) {
    if (!graph.live[static_cast<size_t>(source.stream)]) continue;
    out += "pipeline @" + source.name + "\n  scan @" + source.name + "\n";
    print_stream(graph, source.stream, 0, 1, out, later);
  }
  for (size_t i = 0; i < later.size(); ++i) {
    auto [stream, stage] = later[i];
    const typed::Stream& of = graph.program->streams[static_cast<size_t>(stream)];
    out += "pipeline @" + of.name + "/" + of.stages[stage - 1].name + "\n  results\n";
    print_stream(graph, stream, stage, 1, out, later);
  }
  return out;
}

std::string dump_shards(const Graph& graph) {
  std::string out;
  for (const StoreNode& node : graph.stores) {
    const typed::Stream& stream = graph.program->streams[static_cast<size_t>(node.stream)];
    const typed::Stage& stage = stream.stages[static_cast<size_t>(node.stage)];
    std::string where = "in every shard, whole";
    if (node.home == Home::First) where = "in the first shard";
    if (node.parted) where = "in parts, of any rows; in the first shard when a window ends";
    if (node.home == Home::ByKey) where = "by " + node.desc.keys[static_cast<size_t>(node.home_key)].name;
    out += fmt::format("@{}/{} [{}] {}\n", stream.name, stage.name, store_name(node.desc.kind), where);
  }
  if (graph.spread.parts) out += "rows are dealt out to all shards\n";
  if (out.empty()) out = "no stage keeps state: every shard sees all events, the first gives the rows\n";
  return out;
}

}  // namespace mut::graph
