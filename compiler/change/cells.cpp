#include "compiler/change/cells.h"

#include <algorithm>

namespace mut::change {
namespace {

using state::CellFn;
using state::StoreKind;
using typed::StageKind;

class Describer {
 public:
  Describer(const graph::Graph& graph, const FormerNames& names)
      : graph_(graph),
        program_(*graph.program),
        named_(graph, Detail::Params, names),
        valued_(graph, Detail::ParamValues, names) {}

  State run() {
    for (size_t i = 0; i < program_.streams.size(); ++i) {
      for (size_t s = 0; s < graph_.stage_stores[i].size(); ++s) {
        if (graph_.stage_stores[i][s].empty()) continue;
        add_stage(static_cast<int>(i), static_cast<int>(s));
      }
    }
    return std::move(out_);
  }

 private:
  void add_stage(int stream, int index) {
    const typed::Stage& stage =
        program_.streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(index)];
    StatefulStage made;
    made.stream = stream;
    made.stage = index;
    made.of = &stage;
    for (int store : graph_.stage_stores[static_cast<size_t>(stream)][static_cast<size_t>(index)]) {
      const graph::StoreNode& node = graph_.stores[static_cast<size_t>(store)];
      if (node.desc.kind == StoreKind::Join) {
        add_join(made, stream, index, stage, store);
        continue;
      }
      if (node.desc.kind == StoreKind::Table) {
        Cell cell = begin(stream, index, stage, store);
        cell.index = 0;
        cell.name = "rows";
        cell.span = stage.span;
        add_keys(cell, stage.keys);
        add_row(cell, stream, index);
        finish(made, std::move(cell));
        continue;
      }
      if (node.desc.kind == StoreKind::Match) {
        add_match(made, stream, index, stage, store);
        continue;
      }
      if (node.desc.kind == StoreKind::Follow) {
        add_follow(made, stream, index, stage, store);
        continue;
      }
      if (node.desc.kind == StoreKind::Held) {
        Cell cell = begin(stream, index, stage, store);
        cell.name = "waiting";
        cell.span = stage.span;
        add_keys(cell, stage.keys);
        for (const typed::OrderKey& key : stage.hold->order)
          cell.row.push_back({named_.of(*key.value, stream, index), valued_.of(*key.value, stream, index)});
        finish(made, std::move(cell));
        continue;
      }
      if (node.desc.kind == StoreKind::Process) {
        add_process(made, stream, index, stage, store);
        continue;
      }
      if (node.desc.cells.empty()) {
        Cell cell = begin(stream, index, stage, store);
        cell.name = "seen";
        cell.span = stage.span;
        add_keys(cell, stage.keys);
        finish(made, std::move(cell));
      }
      for (size_t c = 0; c < node.desc.cells.size(); ++c) {
        Cell cell = begin(stream, index, stage, store);
        cell.index = static_cast<int>(c);
        if (!node.histories.empty()) {
          cell.history = &stage.histories[static_cast<size_t>(node.histories[c])];
          cell.call = &cell.history->call;
          add_keys(cell, cell.history->keys);
        } else {
          cell.call = &stage.aggregates[c];
          add_keys(cell, stage.keys);
        }
        cell.name = cell.call->cell;
        cell.span = cell.call->span;
        cell.value = {named_.of_call(*cell.call, stream, index), valued_.of_call(*cell.call, stream, index)};
        if (cell.call->filter) {
          cell.filter = {named_.of_condition(*cell.call->filter, stream, index),
                         valued_.of_condition(*cell.call->filter, stream, index)};
        }
        finish(made, std::move(cell));
      }
    }
    Hasher fingerprint("stage");
    fingerprint.add(static_cast<uint64_t>(stage.kind));
    for (int cell : made.cells) {
      const Cell& of = out_.cells[static_cast<size_t>(cell)];
      const state::StoreDesc& desc = of.node->desc;
      if (of.call != nullptr) fingerprint.add(static_cast<uint64_t>(of.call->fn));
      fingerprint.add(of.value.named).add(of.filter.named).add(of.admission.named);
      for (const Sets& key : of.keys) fingerprint.add(key.named);
      fingerprint.add(static_cast<uint64_t>(desc.kind)).add(static_cast<uint64_t>(desc.size));
      fingerprint.add(static_cast<uint64_t>(desc.every))
          .add(static_cast<uint64_t>(desc.offset))
          .add(desc.zone);
      fingerprint.add(static_cast<uint64_t>(desc.span)).add(desc.count);
      fingerprint.add(static_cast<uint64_t>(desc.join.kind));
      fingerprint.add(static_cast<uint64_t>(desc.join.low)).add(static_cast<uint64_t>(desc.join.high));
    }
    made.fingerprint = fingerprint.done();
    Hasher keys("keys");
    for (int cell : made.cells) {
      for (const Sets& key : out_.cells[static_cast<size_t>(cell)].keys) keys.add(key.named);
      if (out_.cells[static_cast<size_t>(cell)].history == nullptr) break;  // all have the same
    }
    made.keys = keys.done();
    out_.stages.push_back(std::move(made));
  }

  Cell begin(int stream, int index, const typed::Stage& stage, int store) {
    Cell out;
    out.store = store;
    out.stream = stream;
    out.stage = index;
    out.node = &graph_.stores[static_cast<size_t>(store)];
    out.of = &stage;
    out.admission = {named_.admission(stream, index), valued_.admission(stream, index)};
    out.time = named_.time(stream, index);
    out.watermark = named_.watermark(stream, index);
    return out;
  }

  // Each field of the rows that it keeps.
  void add_row(Cell& cell, int stream, int stage) {
    std::vector<HashSet> named = named_.of_fields(stream, stage);
    std::vector<HashSet> valued = valued_.of_fields(stream, stage);
    Hasher all("row");
    for (size_t i = 0; i < named.size(); ++i) {
      all.add(named[i]);
      cell.row.push_back({std::move(named[i]), std::move(valued[i])});
    }
    cell.value.named.push_back(all.done());
  }

  // One cell: what has begun. Its value is what each condition and each measure reads, in order, and what
  // conditions that look back read of an event.
  void add_match(StatefulStage& made, int stream, int index, const typed::Stage& stage, int store) {
    Cell cell = begin(stream, index, stage, store);
    cell.name = "begun";
    cell.span = stage.span;
    add_keys(cell, stage.keys);
    for (const typed::PatternName& name : stage.match->names) {
      if (!name.condition) continue;
      cell.row.push_back(
          {named_.of(*name.condition, stream, index), valued_.of(*name.condition, stream, index)});
    }
    for (const typed::AggregateCall& call : stage.aggregates) {
      cell.measures.push_back({named_.of_call(call, stream, index), valued_.of_call(call, stream, index)});
      if (!call.filter) {
        cell.measures.emplace_back();
      } else {
        cell.measures.push_back({named_.of_condition(*call.filter, stream, index),
                                 valued_.of_condition(*call.filter, stream, index)});
      }
    }
    // Kept of each event: a condition that looks back may be another one, but not of other fields.
    std::vector<HashSet> named = named_.of_fields(stream, index);
    std::vector<HashSet> valued = valued_.of_fields(stream, index);
    for (int field : cell.node->fields)
      cell.measures.push_back({named[static_cast<size_t>(field)], valued[static_cast<size_t>(field)]});
    finish(made, std::move(cell));
  }

  // One cell: what the rows of the table have given. It goes by the key of the table.
  void add_follow(StatefulStage& made, int stream, int index, const typed::Stage& stage, int store) {
    Cell cell = begin(stream, index, stage, store);
    cell.name = "rows";
    cell.span = stage.span;
    add_keys(cell, stage.keys);
    int table = program_.find_stream(stage.follows);
    const std::vector<typed::Stage>& stages = program_.streams[static_cast<size_t>(table)].stages;
    int last = static_cast<int>(stages.size()) - 1;
    for (const typed::ExprPtr& key : stages.back().keys)
      cell.row.push_back({named_.of(*key, table, last), valued_.of(*key, table, last)});
    for (const typed::AggregateCall& call : stage.aggregates) {
      cell.measures.push_back({named_.of_call(call, stream, index), valued_.of_call(call, stream, index)});
      if (call.own != nullptr) {  // kept is what it is passed; the rest is its rule
        for (const typed::ExprPtr& argument : call.arguments) {
          Hash type = Hasher("type").add(argument->type->text).done();
          cell.measures.push_back({{type}, {type}});
        }
        Hash rule = Hasher("rule").add(typed::text_of_state(*call.own)).done();
        cell.statements.valued.push_back(rule);
      }
      if (call.filter) {
        cell.measures.push_back({named_.of_condition(*call.filter, stream, index),
                                 valued_.of_condition(*call.filter, stream, index)});
      }
    }
    finish(made, std::move(cell));
  }

  // A cell a variable and one a timer; all change with any of the statements.
  void add_process(StatefulStage& made, int stream, int index, const typed::Stage& stage, int store) {
    const typed::Process& process = *stage.process;
    const state::StoreDesc& desc = graph_.stores[static_cast<size_t>(store)].desc;
    for (size_t i = 0; i < desc.cells.size(); ++i) {
      Cell cell = begin(stream, index, stage, store);
      cell.index = static_cast<int>(i);
      cell.name = desc.cells[i].name;
      cell.span = stage.span;
      add_keys(cell, stage.keys);
      cell.value.named.push_back(Hasher("named").add(cell.name).done());
      cell.statements = {named_.of_statements(stream, index), valued_.of_statements(stream, index)};
      if (i < process.states.size()) {
        const typed::ProcessState& state = process.states[i];
        cell.type = state.type;
        cell.span = state.initial->span;
        cell.initial = {named_.of(*state.initial, stream, index), valued_.of(*state.initial, stream, index)};
      }
      finish(made, std::move(cell));
    }
  }

  static HashSet pairs(const HashSet& left, const HashSet& right) {
    HashSet out;
    for (const Hash& a : left) {
      for (const Hash& b : right) out.push_back(Hasher("equal").add(a).add(b).done());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  void add_join(StatefulStage& made, int stream, int index, const typed::Stage& stage, int store) {
    const typed::Join& join = *stage.join;
    int right_end = static_cast<int>(program_.streams[static_cast<size_t>(join.right)].stages.size());
    for (bool right : {false, true}) {
      Cell cell = begin(stream, index, stage, store);
      cell.index = right ? 1 : 0;
      cell.name = right ? "right" : "left";
      cell.span = stage.span;
      auto [from, at] = right ? std::pair(join.right, right_end) : std::pair(stream, index);
      // Both sides have one key: what is equal to what.
      for (size_t i = 0; i < stage.keys.size(); ++i) {
        auto pair = [&](const Lineage& lineage) {
          return pairs(lineage.of(*stage.keys[i], stream, index),
                       lineage.of_right(*join.right_keys[i], join.right));
        };
        cell.keys.push_back({pair(named_), pair(valued_)});
        cell.key_types.push_back(stage.keys[i]->type);
      }
      if (right) {
        cell.admission = {named_.admission(from, at), valued_.admission(from, at)};
        cell.time = named_.time(from, at);
        cell.watermark = named_.watermark(from, at);
      }
      add_row(cell, from, at);
      if (join.condition) {
        cell.filter = {named_.of_pair(*join.condition, stream, index),
                       valued_.of_pair(*join.condition, stream, index)};
      }
      finish(made, std::move(cell));
    }
  }

  void add_keys(Cell& cell, const std::vector<typed::ExprPtr>& keys) {
    for (const typed::ExprPtr& key : keys) {
      cell.keys.push_back(
          {named_.of(*key, cell.stream, cell.stage), valued_.of(*key, cell.stream, cell.stage)});
      cell.key_types.push_back(key->type);
    }
  }

  void finish(StatefulStage& stage, Cell cell) {
    cell.path = cell.node->desc.path + "/" + cell.name;
    stage.cells.push_back(static_cast<int>(out_.cells.size()));
    out_.cells.push_back(std::move(cell));
  }

  const graph::Graph& graph_;
  const typed::Program& program_;
  Lineage named_;
  Lineage valued_;
  State out_;
};

}  // namespace

std::string Cell::column() const {
  size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

bool Cell::by_event_time() const {
  switch (node->desc.kind) {
    case StoreKind::Panes:
    case StoreKind::Overlaps:
    case StoreKind::Sessions:
    case StoreKind::Dedupe:
    case StoreKind::Join:
    case StoreKind::Table:
    case StoreKind::Match:
    case StoreKind::Held:
    case StoreKind::Process:
    case StoreKind::Follow:
      return true;
    case StoreKind::Ring:
      return node->desc.span != 0;
    default:
      break;
  }
  if (node->desc.ttl != 0) return true;
  CellFn fn = node->desc.cells[static_cast<size_t>(index)].fn;
  return fn == CellFn::First || fn == CellFn::Last || state::gives_list(fn);
}

State describe_state(const graph::Graph& graph, const FormerNames& names) {
  return Describer(graph, names).run();
}

}  // namespace mut::change
