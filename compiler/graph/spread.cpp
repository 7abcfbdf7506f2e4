#include "compiler/graph/spread.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "compiler/graph/division.h"
#include "compiler/typed/process.h"
#include "runtime/state/store.h"

namespace mut::graph {
namespace {

using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::StageKind;
using typed::StreamKind;

// Sets that are joined and never parted (Tarjan 1975).
class Sets {
 public:
  int add() {
    parents_.push_back(static_cast<int>(parents_.size()));
    return parents_.back();
  }
  int root(int of) {
    while (parents_[static_cast<size_t>(of)] != of) of = parents_[static_cast<size_t>(of)];
    return of;
  }
  void join(int a, int b) { parents_[static_cast<size_t>(root(a))] = root(b); }

 private:
  std::vector<int> parents_;
};

// A place where rows are chosen by shard: a stage with state, or an input at which rows that every shard has
// meet those that one has.
using Place = std::pair<int, int>;  // stream, stage; stage -1: the head of the stream

struct Node {
  Place place;
  int group = -1;          // among the sets of nodes: those on one shard together
  std::vector<int> parts;  // by key: among the sets of keys that are equal in all rows; -1: of no use
};

// Rows at one point of the graph.
struct Flow {
  bool everywhere = false;  // each shard has them all
  std::set<Place> owners;   // else each is in the shard that one of these chose
  std::vector<std::vector<int>>
      parts;  // by field: the keys that it equals, one for each way here; none: unknown

  bool owned() const { return !owners.empty(); }
};

class Spreader {
 public:
  explicit Spreader(Graph& graph) : graph_(graph), program_(*graph.program) {}

  // As if each source were a place where rows are chosen by that field of theirs.
  Division divide(const std::string& field) {
    Division out;
    divides_by_ = field;
    find_fields(out);
    out.keys.assign(graph_.stores.size(), -1);
    if (!out.problems.empty()) return out;
    follow_rows();
    for (size_t i = 0; i < graph_.stores.size(); ++i) {
      StoreNode& store = graph_.stores[i];
      if (graph_.live[static_cast<size_t>(store.stream)] == 0) continue;
      auto known = nodes_.find({store.stream, store.stage});
      int key = known == nodes_.end() ? -1 : key_that_divides(known->second);
      out.keys[i] = key < 0 ? -1 : key_of_store(store, key);
      if (out.keys[i] < 0) {
        out.problems.push_back("state of `" + store.desc.path + "` " +
                               (is_beside(store.stream)
                                    ? "stands behind late events or errors, which are not followed"
                                    : "is not kept by `" + field + "` of the source"));
      }
      if (std::string why = stays_whole(store.desc); !why.empty())
        out.problems.push_back("state of `" + store.desc.path + "` cannot be divided: " + why);
    }
    if (!program_.sets.empty()) out.problems.push_back("a stream sets a param, which all keys have");
    return out;
  }

  void run() {
    // A param has one value: all that sets one is done by every shard.
    do {
      follow_rows();
    } while (repeat_for_sets());
    choose();
    std::optional<Parts> parts = find_parts(graph_, keyed_stores());
    if (parts) chosen_.clear();  // what windows give is on the first shard
    fill();
    if (parts) deal_out(graph_, std::move(*parts));
  }

 private:
  const typed::Stream& stream(int index) const { return program_.streams[static_cast<size_t>(index)]; }
  const typed::Stage& stage(Place at) const {
    return stream(at.first).stages[static_cast<size_t>(at.second)];
  }

  // ---- from sources to sinks

  void follow_rows() {
    late_.clear();
    size_t known = 0;
    do {  // a stream of late events may stand before the window that they are late for
      known = late_.size();
      nodes_.clear();
      groups_ = Sets();
      parts_ = Sets();
      parts_chosen_ = -1;
      ends_.assign(program_.streams.size(), Flow());
      heads_.assign(program_.streams.size(), Flow());
      for (size_t i = 0; i < program_.streams.size(); ++i) {
        if (graph_.live[i] != 0) follow_stream(static_cast<int>(i));
      }
    } while (late_.size() != known);
  }

  void follow_stream(int index) {
    Flow flow = head_of(index);
    flow.parts.resize(first_record(index)->fields.size());
    heads_[static_cast<size_t>(index)] = flow;
    for (size_t s = 0; s < stream(index).stages.size(); ++s)
      flow = follow_stage({index, static_cast<int>(s)}, flow);
    ends_[static_cast<size_t>(index)] = std::move(flow);
  }

  typed::TypeRef first_record(int index) const {
    return stream(index).stages.empty() ? stream(index).type : stream(index).stages.front().input;
  }

  Flow head_of(int index) {
    const typed::Stream& of = stream(index);
    Flow out;
    if (of.kind == StreamKind::Source && divides()) return chosen_rows(index);
    if (of.kind == StreamKind::Source) {
      out.everywhere = true;
      return out;
    }
    if (of.kind == StreamKind::Late) {
      auto known = late_.find(index);
      if (known == late_.end() || known->second.second < 0) {
        out.everywhere = !divides();
      } else {
        out.owners.insert(known->second);
      }
      return out;
    }
    if (of.kind == StreamKind::Errors) {
      // Of what fails before state begins, and of what fails behind.
      int source = of.inputs[0].stream;
      out = heads_[static_cast<size_t>(source)];
      out.parts.clear();
      for (const auto& [place, node] : nodes_) {
        if (place.first == source) out.owners.insert(place);
      }
      if (stream(source).kind == StreamKind::Source && !divides()) out.everywhere = true;
    } else {
      for (size_t k = 0; k < of.inputs.size(); ++k) add_input(of.inputs[k], k == 0, out);
    }
    if (out.everywhere && out.owned()) {
      out.everywhere = false;
      out.owners.insert(node_at({index, -1}).place);
      out.parts.clear();
    }
    return out;
  }

  void add_input(const typed::Input& input, bool first, Flow& out) {
    const Flow& from = ends_[static_cast<size_t>(input.stream)];
    std::vector<std::vector<int>> parts = from.parts;
    if (!input.conversion.empty()) {
      parts.clear();
      for (const typed::Output& output : input.conversion)
        parts.push_back(parts_of(*output.value, from.parts, stream(input.stream).type));
    }
    out.everywhere = out.everywhere || from.everywhere;
    out.owners.insert(from.owners.begin(), from.owners.end());
    if (first) {
      out.parts = std::move(parts);
      return;
    }
    for (size_t f = 0; f < out.parts.size(); ++f) {
      if (out.parts[f].empty() || f >= parts.size() || parts[f].empty()) {
        out.parts[f].clear();
      } else {
        out.parts[f].insert(out.parts[f].end(), parts[f].begin(), parts[f].end());
      }
    }
  }

  // Keys that the value equals: those of a field, as it is.
  static std::vector<int> parts_of(const Expr& expr, const std::vector<std::vector<int>>& parts,
                                   typed::TypeRef record) {
    if (expr.kind != ExprKind::Field) return {};
    auto field = static_cast<size_t>(expr.index);
    bool same = field < parts.size() && record->fields[field].type->text == expr.type->text;
    return same ? parts[field] : std::vector<int>{};
  }

  Node& node_at(Place place) {
    auto [entry, fresh] = nodes_.try_emplace(place);
    if (fresh) {
      entry->second.place = place;
      entry->second.group = groups_.add();
    }
    return entry->second;
  }

  // Keys of a stage by which it can be spread: of histories those that all of them have.
  std::vector<const Expr*> keys_of(const typed::Stage& of) const {
    std::vector<const Expr*> out;
    if (of.histories.empty()) {
      for (const typed::ExprPtr& key : of.keys) out.push_back(key.get());
      return out;
    }
    for (const typed::ExprPtr& key : of.histories[0].keys) {
      bool common = std::all_of(of.histories.begin(), of.histories.end(), [&](const typed::History& history) {
        return std::any_of(history.keys.begin(), history.keys.end(), [&](const typed::ExprPtr& other) {
          return typed::identity_text(*other) == typed::identity_text(*key);
        });
      });
      out.push_back(common ? key.get() : nullptr);
    }
    return out;
  }

  bool keeps_state(Place at) const {
    return !graph_.stage_stores[static_cast<size_t>(at.first)][static_cast<size_t>(at.second)].empty();
  }

  // The stage that keeps the rows of a table; -1 as its stage: every shard has them.
  Place table_of(int of) const {
    Place place{of, static_cast<int>(stream(of).stages.size()) - 1};
    return nodes_.count(place) != 0 ? place : Place{of, -1};
  }

  Flow follow_stage(Place at, const Flow& in) {
    const typed::Stage& of = stage(at);
    bool reads_table = of.kind == StageKind::Lookup || !of.follows.empty();
    Place table{-1, -1};
    if (reads_table)
      table = table_of(of.kind == StageKind::Lookup ? of.join->right : program_.find_stream(of.follows));
    bool owned_table = reads_table && table.second >= 0;
    // Rows that come out of state between a table and what follows it are those of one shard.
    bool apart = owned_table || (!of.follows.empty() && in.owned());
    bool stays = reads_table ? !apart : !keeps_state(at) || (of.kind == StageKind::Table && in.everywhere);
    if (stays || repeated_.count(at) != 0) {
      note_late(of, {-1, -1});
      Flow out = in;
      out.parts = leaving(at, in.parts, nullptr);
      return out;
    }
    Node& node = node_at(at);
    node.parts.assign(keys_of(of).size(), -1);
    if (owned_table) groups_.join(node.group, nodes_.at(table).group);
    for (const Place& owner : in.owners) groups_.join(node.group, node_at(owner).group);
    std::vector<const Expr*> keys = keys_of(of);
    // What follows a table has rows of the groups that a row leaves and enters: no key chooses between them.
    bool by_key = of.follows.empty();
    for (size_t k = 0; k < keys.size() && by_key; ++k) {
      if (keys[k] != nullptr) node.parts[k] = part_of(*keys[k], in, of.input);
    }
    if (of.kind == StageKind::Join) {
      const Flow& right = ends_[static_cast<size_t>(of.join->right)];
      for (const Place& owner : right.owners) groups_.join(node.group, node_at(owner).group);
      for (size_t k = 0; k < keys.size(); ++k) {
        int part = part_of(*of.join->right_keys[k], right, of.join->right_type);
        if (part >= 0 && node.parts[k] >= 0) {
          parts_.join(part, node.parts[k]);
        } else {
          node.parts[k] = -1;
        }
      }
    }
    if (of.kind == StageKind::Lookup) {
      const Node& rows = nodes_.at(table);
      for (size_t k = 0; k < keys.size(); ++k) {
        if (node.parts[k] >= 0 && k < rows.parts.size() && rows.parts[k] >= 0) {
          parts_.join(node.parts[k], rows.parts[k]);
        } else {
          node.parts[k] = -1;
        }
      }
    }
    note_late(of, at);
    Flow out;
    out.owners = {at};
    std::vector<std::vector<int>> parts = in.owned() ? in.parts : std::vector<std::vector<int>>{};
    parts.resize(of.input->fields.size());
    for (size_t k = 0; k < keys.size(); ++k) {
      if (keys[k] != nullptr && node.parts[k] >= 0 && keys[k]->kind == ExprKind::Field)
        parts[static_cast<size_t>(keys[k]->index)] = {node.parts[k]};
    }
    out.parts = leaving(at, parts, &node);
    return out;
  }

  // A key as one that rows can be chosen by: each shard can compute it, and where one shard has chosen rows
  // already it is what it chose by.
  int part_of(const Expr& key, const Flow& in, typed::TypeRef record) {
    if (can_fail(key)) return -1;
    int out = parts_.add();
    if (!in.owned()) return out;
    std::vector<int> known = parts_of(key, in.parts, record);
    if (known.empty()) return -1;
    for (int part : known) parts_.join(out, part);
    return out;
  }

  void note_late(const typed::Stage& of, Place owner) {
    if (of.late_stream >= 0) late_[of.late_stream] = owner;
  }

  // By field of what leaves a stage. `node`: of the stage, null where every shard does the same.
  std::vector<std::vector<int>> leaving(Place at, const std::vector<std::vector<int>>& in, const Node* node) {
    const typed::Stage& of = stage(at);
    std::vector<std::vector<int>> out(of.output->fields.size());
    auto key = [&](int index) -> std::vector<int> {
      if (node == nullptr || index < 0 || static_cast<size_t>(index) >= node->parts.size()) return {};
      int part = node->parts[static_cast<size_t>(index)];
      return part < 0 ? std::vector<int>{} : std::vector<int>{part};
    };
    for (size_t f = 0; f < out.size(); ++f) {
      if (of.kind == StageKind::Process) {
        if (node != nullptr) out[f] = key(typed::key_of_field(of, f));
        continue;
      }
      if (!of.outputs.empty()) {
        const Expr& value = *of.outputs[f].value;
        if (of.kind == StageKind::Project) out[f] = parts_of(value, in, of.input);
        if (value.kind == ExprKind::Key) out[f] = key(value.index);
        continue;
      }
      bool made = of.kind == StageKind::Aggregate || of.kind == StageKind::Match ||
                  (of.kind == StageKind::Flatten && static_cast<int>(f) == of.flatten_output);
      int same = made ? -1 : of.input->field_index(of.output->fields[f].name);
      if (same < 0 || static_cast<size_t>(same) >= in.size()) continue;
      bool alike = of.input->fields[static_cast<size_t>(same)].type->text == of.output->fields[f].type->text;
      if (alike) out[f] = in[static_cast<size_t>(same)];
    }
    return out;
  }

  bool repeat_for_sets() {
    size_t before = repeated_.size();
    for (const typed::Set& set : program_.sets) {
      for (const Place& owner : ends_[static_cast<size_t>(set.stream)].owners) {
        int group = groups_.root(nodes_.at(owner).group);
        for (const auto& [place, node] : nodes_) {
          if (groups_.root(node.group) == group) repeated_.insert(place);
        }
      }
    }
    return repeated_.size() != before;
  }

  // ---- by which key

  static bool has_few_values(typed::TypeRef type) {
    Kind kind = typed::without_none(type)->kind;
    return kind == Kind::Bool || kind == Kind::Enum;
  }

  void choose() {
    std::map<int, std::vector<Node*>> together;
    for (auto& [place, node] : nodes_) together[groups_.root(node.group)].push_back(&node);
    for (auto& [group, nodes] : together) {
      std::optional<int> best;
      for (size_t k = 0; k < nodes[0]->parts.size(); ++k) {
        if (nodes[0]->parts[k] < 0) continue;
        int part = parts_.root(nodes[0]->parts[k]);
        bool all = std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) {
          return std::count_if(node->parts.begin(), node->parts.end(),
                               [&](int own) { return own >= 0 && parts_.root(own) == part; }) == 1;
        });
        if (!all) continue;
        bool few = has_few_values(keys_of(stage(nodes[0]->place))[k]->type);
        if (!best || !few) best = part;
        if (!few) break;
      }
      if (best) chosen_[group] = *best;
    }
  }

  Spread::StageSpread placed(const Node& node) {
    Spread::StageSpread out;
    out.home = Home::First;
    auto part = chosen_.find(groups_.root(node.group));
    if (part == chosen_.end()) return out;
    out.home = Home::ByKey;
    for (size_t k = 0; k < node.parts.size(); ++k) {
      if (node.parts[k] >= 0 && parts_.root(node.parts[k]) == part->second) out.key = static_cast<int>(k);
    }
    return out;
  }

  // ---- by a field of the sources

  bool divides() const { return !divides_by_.empty(); }

  // Rows of a source: their field is what chose them.
  Flow chosen_rows(int index) {
    Flow out;
    Node& node = node_at({index, -1});
    if (parts_chosen_ < 0) parts_chosen_ = parts_.add();
    node.parts = {parts_chosen_};
    out.owners = {node.place};
    out.parts.resize(first_record(index)->fields.size());
    int field = first_record(index)->field_index(divides_by_);
    if (field >= 0) out.parts[static_cast<size_t>(field)] = {parts_chosen_};
    return out;
  }

  int key_that_divides(const Node& node) {
    for (size_t k = 0; k < node.parts.size(); ++k) {
      if (node.parts[k] >= 0 && parts_.root(node.parts[k]) == parts_.root(parts_chosen_))
        return static_cast<int>(k);
    }
    return -1;
  }

  // The same key of the store: that of one history may have more, or another order.
  int key_of_store(const StoreNode& store, int key) const {
    if (store.histories.empty()) return key;
    const typed::Stage& of = stage({store.stream, store.stage});
    const std::string text = typed::identity_text(*of.histories[0].keys[static_cast<size_t>(key)]);
    const typed::History& history = of.histories[static_cast<size_t>(store.histories[0])];
    for (size_t k = 0; k < history.keys.size(); ++k) {
      if (typed::identity_text(*history.keys[k]) == text) return static_cast<int>(k);
    }
    return -1;
  }

  // Whether rows of that stream come from one of late events or of errors, of which no field is known to be
  // the source's.
  bool is_beside(int index) const {
    const typed::Stream& of = stream(index);
    if (of.kind == StreamKind::Late || of.kind == StreamKind::Errors) return true;
    return std::any_of(of.inputs.begin(), of.inputs.end(),
                       [&](const typed::Input& input) { return is_beside(input.stream); });
  }

  // Why entries of a store cannot be in two programs, each with its own; empty: they can.
  static std::string stays_whole(const state::StoreDesc& desc) {
    if (!state::moves_between_shards(desc))
      return "histories, `dedupe`, joins, patterns, rows that wait and what follows a table number events";
    if (desc.kind == state::StoreKind::Counts)
      return "windows of a number of events end by the newest of all";
    if (desc.kind == state::StoreKind::Table) return "a table has the rows of all keys";
    if (desc.gives == state::Gives::AtTicks) return "a tick begins with the first event of all";
    return "";
  }

  // Which field of each source it is.
  void find_fields(Division& out) {
    std::string type;
    for (const typed::Source& source : program_.sources) {
      out.fields.push_back(-1);
      if (graph_.live[static_cast<size_t>(source.stream)] == 0) continue;
      const std::string of = "source `" + source.name + "` ";
      int field = source.type->field_index(divides_by_);
      if (!source.generated.empty()) {
        out.problems.push_back(of + "makes its rows");
        continue;
      }
      if (field < 0) {
        out.problems.push_back(of + "has no field `" + divides_by_ + "`");
        continue;
      }
      typed::TypeRef has = source.type->fields[static_cast<size_t>(field)].type;
      bool fits = has->kind == Kind::String || has->kind == Kind::Enum || is_whole(*describe(has));
      if (!fits || describe(has)->secret) {
        out.problems.push_back("`" + divides_by_ + "` of " + of + "is " + has->text +
                               ": a canary goes by a text, a whole number or an enum");
      } else if (!type.empty() && type != has->text) {
        out.problems.push_back("`" + divides_by_ + "` of " + of + "is " + has->text + ", and " + type +
                               " of another");
      }
      type = has->text;
      out.fields.back() = field;
    }
  }

  static bool is_whole(const abi::TypeDesc& type) {
    return type.kind >= abi::TypeKind::I8 && type.kind <= abi::TypeKind::U64;
  }

  // ---- into the graph

  void fill() {
    Spread& out = graph_.spread;
    out.stages.resize(program_.streams.size());
    out.inputs.resize(program_.streams.size());
    out.error_inputs.assign(program_.streams.size(), Asks::Nothing);
    out.everywhere_at.assign(static_cast<size_t>(error_site_count(graph_)), 1);
    for (size_t i = 0; i < program_.streams.size(); ++i) {
      const typed::Stream& of = program_.streams[i];
      auto index = static_cast<int>(i);
      out.stages[i].resize(of.stages.size());
      out.inputs[i].assign(of.inputs.size(), Asks::Nothing);
      if (graph_.live[i] == 0) continue;
      bool mixes = nodes_.count({index, -1}) != 0;
      for (size_t k = 0; mixes && k < of.inputs.size(); ++k) {
        if (of.kind == StreamKind::Errors) {
          out.error_inputs[static_cast<size_t>(of.inputs[k].stream)] = Asks::First;
        } else if (ends_[static_cast<size_t>(of.inputs[k].stream)].everywhere) {
          out.inputs[i][k] = Asks::First;
        }
      }
      bool everywhere = heads_[i].everywhere;
      for (size_t s = 0; s < of.stages.size(); ++s) {
        fill_stage({index, static_cast<int>(s)}, everywhere);
        out.everywhere_at[static_cast<size_t>(error_site(graph_, index, static_cast<int>(s)))] =
            static_cast<char>(everywhere);
      }
      out.everywhere_at[static_cast<size_t>(error_site(graph_, index, static_cast<int>(of.stages.size())))] =
          static_cast<char>(everywhere);
    }
    for (size_t i = 0; i < program_.routes.size(); ++i) {
      out.everywhere_at[static_cast<size_t>(route_error_site(graph_, static_cast<int>(i)))] =
          static_cast<char>(ends_[static_cast<size_t>(program_.routes[i].input)].everywhere);
    }
    for (const typed::Emit& emit : program_.emits)
      out.emits_everywhere.push_back(static_cast<char>(ends_[static_cast<size_t>(emit.stream)].everywhere));
  }

  void fill_stage(Place at, bool& everywhere) {
    const typed::Stage& of = stage(at);
    Spread::StageSpread& out =
        graph_.spread.stages[static_cast<size_t>(at.first)][static_cast<size_t>(at.second)];
    auto known = nodes_.find(at);
    if (known == nodes_.end()) return;
    out = placed(known->second);
    Asks asks = out.home == Home::ByKey ? Asks::Key : Asks::First;
    if (everywhere) out.asks = asks;
    everywhere = false;
    if (of.kind == StageKind::Join) {
      if (ends_[static_cast<size_t>(of.join->right)].everywhere) out.asks_right = asks;
      graph_.spread.everywhere_at[static_cast<size_t>(join_error_site(graph_, at.first, at.second))] = 0;
    }
    for (int store : graph_.stage_stores[static_cast<size_t>(at.first)][static_cast<size_t>(at.second)]) {
      StoreNode& node = graph_.stores[static_cast<size_t>(store)];
      node.home = out.home;
      if (out.home != Home::ByKey) continue;
      node.home_key = out.key;
      if (node.histories.empty()) continue;
      const typed::History& history = of.histories[static_cast<size_t>(node.histories[0])];
      const std::string text = typed::identity_text(*of.histories[0].keys[static_cast<size_t>(out.key)]);
      for (size_t k = 0; k < history.keys.size(); ++k) {
        if (typed::identity_text(*history.keys[k]) == text) node.home_key = static_cast<int>(k);
      }
    }
  }

  std::vector<char> keyed_stores() {
    std::vector<char> out;
    for (const StoreNode& store : graph_.stores) {
      auto known = nodes_.find({store.stream, store.stage});
      out.push_back(static_cast<char>(known != nodes_.end() && placed(known->second).home == Home::ByKey));
    }
    return out;
  }

  Graph& graph_;
  const typed::Program& program_;
  std::map<Place, Node> nodes_;
  Sets groups_;
  Sets parts_;
  std::vector<Flow> heads_;  // by stream
  std::vector<Flow> ends_;
  std::map<int, Place> late_;  // by stream of late events: the window
  std::set<Place> repeated_;   // every shard does them, for a param is set by them
  std::map<int, int> chosen_;  // by group: the key; none: on the first shard
  std::string divides_by_;     // empty: rows are chosen where state begins
  int parts_chosen_ = -1;      // divides_by_: the set of its keys
};

}  // namespace

void spread_over_shards(Graph& graph) { Spreader(graph).run(); }

Division divide_by(const Graph& graph, const std::string& field) {
  Graph copy = graph;  // what shards it is spread over stays as it is
  return Spreader(copy).divide(field);
}

}  // namespace mut::graph
