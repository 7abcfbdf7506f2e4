#include "compiler/graph/parts.h"

#include <algorithm>

#include "compiler/graph/graph.h"
#include "runtime/state/store.h"

namespace mut::graph {
namespace {

using typed::StageKind;
using typed::StreamKind;

bool can_be_parted(const typed::Stage& stage, const state::StoreDesc& desc) {
  return desc.kind == state::StoreKind::Panes && desc.gives == state::Gives::AtClose &&
         stage.late == typed::LatePolicy::Drop && desc.late_within == 0 &&
         std::all_of(desc.cells.begin(), desc.cells.end(), state::adds_in_any_order);
}

class PartFinder {
 public:
  PartFinder(const Graph& graph, const std::vector<char>& keyed)
      : graph_(graph), program_(*graph.program), keyed_(keyed) {}

  std::optional<Parts> run() {
    if (!program_.sets.empty() || !state_may_move()) return std::nullopt;
    ends_.assign(program_.streams.size(), Rows::Made);
    sources_of_.assign(program_.streams.size(), 0);
    Parts out;
    out.streams.assign(program_.streams.size(), 0);
    for (size_t i = 0; i < program_.streams.size(); ++i) {
      if (graph_.live[i] == 0) continue;
      std::optional<Rows> rows = rows_of(i);
      if (!rows) return std::nullopt;
      out.streams[i] = static_cast<char>(*rows == Rows::Plain);
      if (*rows == Rows::Plain) sources_of_[i] = sources_above(i);
      rows = follow(i, *rows);
      if (!rows) return std::nullopt;
      ends_[i] = *rows;
    }
    for (size_t i = 0; i < ends_.size(); ++i)
      out.ends.push_back(static_cast<char>(out.streams[i] != 0 && ends_[i] == Rows::Plain));
    return find_sources(out) ? std::optional(std::move(out)) : std::nullopt;
  }

 private:
  // Of a source, as no state has touched them, or of what state has made.
  enum class Rows : uint8_t { Plain, Made };

  // An edit may take the program out of this form again: then state is where keys say.
  bool state_may_move() const {
    for (size_t i = 0; i < graph_.stores.size(); ++i) {
      if (keyed_[i] != 0 && !state::moves_between_shards(graph_.stores[i].desc)) return false;
    }
    return true;
  }

  const std::vector<int>& stores_of(size_t stream, size_t stage) const {
    return graph_.stage_stores[stream][stage];
  }

  // Whose rows come there; of a look-up's table they do not.
  uint64_t sources_above(size_t stream) const {
    const typed::Stream& of = program_.streams[stream];
    if (of.kind == StreamKind::Source) return uint64_t{1} << of.source;
    uint64_t out = 0;
    for (const typed::Input& input : of.inputs) out |= sources_of_[static_cast<size_t>(input.stream)];
    return out;
  }

  // Those that enter a stream; none where rows of both kinds meet.
  std::optional<Rows> rows_of(size_t stream) const {
    const typed::Stream& of = program_.streams[stream];
    if (of.kind == StreamKind::Source) return Rows::Plain;
    if (of.kind == StreamKind::Late) return Rows::Made;
    if (of.kind == StreamKind::Errors) {
      auto fails = static_cast<size_t>(of.inputs[0].stream);
      std::optional<Rows> entering = rows_of(fails);
      bool changes = entering == Rows::Plain && ends_[fails] == Rows::Made;
      return changes ? std::nullopt : entering;
    }
    Rows first = ends_[static_cast<size_t>(of.inputs[0].stream)];
    bool same = std::all_of(of.inputs.begin(), of.inputs.end(), [&](const typed::Input& input) {
      return ends_[static_cast<size_t>(input.stream)] == first;
    });
    return same ? std::optional(first) : std::nullopt;
  }

  std::optional<Rows> follow(size_t stream, Rows rows) {
    const typed::Stream& of = program_.streams[stream];
    for (size_t s = 0; s < of.stages.size(); ++s) {
      const typed::Stage& stage = of.stages[s];
      bool joins_plain =
          stage.kind == StageKind::Join && ends_[static_cast<size_t>(stage.join->right)] == Rows::Plain;
      bool looks_up_made =
          stage.kind == StageKind::Lookup && ends_[static_cast<size_t>(stage.join->right)] == Rows::Made;
      bool plain = rows == Rows::Plain;
      if (joins_plain || (plain && (looks_up_made || !stage.follows.empty()))) return std::nullopt;
      if (rows == Rows::Made || stores_of(stream, s).empty()) continue;
      if (stage.kind == StageKind::Table) {
        tables_ |= sources_of_[stream];
        continue;
      }
      const state::StoreDesc& desc = graph_.stores[static_cast<size_t>(stores_of(stream, s)[0])].desc;
      if (stores_of(stream, s).size() != 1 || !can_be_parted(stage, desc)) return std::nullopt;
      rows = Rows::Made;
    }
    return rows;
  }

  // A source that fills a table does nothing else.
  bool find_sources(Parts& out) const {
    bool any = false;
    for (size_t i = 0; i < program_.streams.size(); ++i) {
      const typed::Stream& of = program_.streams[i];
      bool fills = graph_.live[i] != 0 && out.streams[i] != 0 && (sources_of_[i] & tables_) != 0;
      if (!fills) continue;
      bool ends = !of.stages.empty() && of.stages.back().kind == StageKind::Table;
      bool passes = of.stages.empty() ||
                    std::all_of(of.stages.begin(), of.stages.end(), [&](const typed::Stage& stage) {
                      return stage.kind == StageKind::Table ||
                             stores_of(i, static_cast<size_t>(&stage - of.stages.data())).empty();
                    });
      if ((sources_of_[i] & ~tables_) != 0 || !passes || of.kind == StreamKind::Errors) return false;
      for (const Consumer& consumer : graph_.consumers[i]) {
        if (consumer.kind != Consumer::Kind::Stream || ends) return false;
      }
      out.streams[i] = 0;
      out.ends[i] = 0;
    }
    for (const typed::Source& source : program_.sources) {
      auto index = static_cast<size_t>(&source - program_.sources.data());
      bool deals = graph_.live[static_cast<size_t>(source.stream)] != 0 && (tables_ >> index & 1U) == 0;
      out.sources.push_back(static_cast<char>(deals));
      any = any || deals;
    }
    return any;
  }

  const Graph& graph_;
  const typed::Program& program_;
  const std::vector<char>& keyed_;
  std::vector<Rows> ends_;            // by stream
  std::vector<uint64_t> sources_of_;  // by stream: where its plain rows come from, by bit
  uint64_t tables_ = 0;               // sources that fill one
};

}  // namespace

std::optional<Parts> find_parts(const Graph& graph, const std::vector<char>& keyed) {
  return PartFinder(graph, keyed).run();
}

void deal_out(Graph& graph, Parts parts) {
  Spread& out = graph.spread;
  const typed::Program& program = *graph.program;
  auto own = [&](int site) { out.everywhere_at[static_cast<size_t>(site)] = 0; };
  for (size_t i = 0; i < program.streams.size(); ++i) {
    if (parts.streams[i] == 0) continue;
    int sites = static_cast<int>(program.streams[i].stages.size()) + 2;
    for (int s = 0; s < sites; ++s) own(error_site(graph, static_cast<int>(i), s));
    const auto& stores = graph.stage_stores[i];
    auto first = std::find_if(stores.begin(), stores.end(), [](const auto& of) { return !of.empty(); });
    if (first == stores.end()) continue;
    out.stages[i][static_cast<size_t>(first - stores.begin())].asks = Asks::Nothing;
    graph.stores[static_cast<size_t>(first->front())].parted = true;
  }
  for (size_t i = 0; i < program.routes.size(); ++i) {
    if (parts.ends[static_cast<size_t>(program.routes[i].input)] != 0)
      own(route_error_site(graph, static_cast<int>(i)));
  }
  for (size_t i = 0; i < program.emits.size(); ++i) {
    if (parts.ends[static_cast<size_t>(program.emits[i].stream)] != 0) out.emits_everywhere[i] = 0;
  }
  out.parts = std::move(parts);
}

}  // namespace mut::graph
