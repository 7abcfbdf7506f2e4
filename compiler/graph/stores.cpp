// Which stores a stage keeps, described as data.
#include "compiler/graph/stores.h"

#include <algorithm>

#include "compiler/graph/pattern_program.h"

namespace mut::graph {

using state::CellDesc;
using state::CellFn;
using state::StoreKind;
using typed::AggregateFn;
using typed::Kind;

namespace {

CellFn cell_fn(const typed::AggregateCall& call) {
  switch (call.fn) {
    case AggregateFn::Count:
      return CellFn::Count;
    case AggregateFn::Sum: {
      typed::TypeRef type = call.argument->type;
      if (type->kind == Kind::Optional) type = type->element;
      if (type->kind == Kind::Decimal) return CellFn::DecimalSum;
      return type->kind == Kind::Float ? CellFn::FloatSum : CellFn::IntSum;
    }
    case AggregateFn::Avg: {
      typed::TypeRef type = call.argument->type;
      if (type->kind == Kind::Optional) type = type->element;
      return type->kind == Kind::Decimal ? CellFn::DecimalAvg : CellFn::Avg;
    }
    case AggregateFn::Min:
      return CellFn::Min;
    case AggregateFn::Max:
      return CellFn::Max;
    case AggregateFn::First:
      return CellFn::First;
    case AggregateFn::Last:
      return CellFn::Last;
    case AggregateFn::Variance:
      return CellFn::Variance;
    case AggregateFn::VarianceSample:
      return CellFn::VarianceSample;
    case AggregateFn::Stddev:
      return CellFn::Stddev;
    case AggregateFn::StddevSample:
      return CellFn::StddevSample;
    case AggregateFn::Distinct:
      return CellFn::Distinct;
    case AggregateFn::Any:
      return CellFn::Any;
    case AggregateFn::All:
      return CellFn::All;
    case AggregateFn::ArgMin:
      return CellFn::ArgMin;
    case AggregateFn::ArgMax:
      return CellFn::ArgMax;
    case AggregateFn::Quantile:
      return CellFn::Quantile;
    case AggregateFn::Collect:
      return CellFn::Collect;
    case AggregateFn::Top:
      return CellFn::Top;
    case AggregateFn::Rank:
      return CellFn::Rank;
    case AggregateFn::StringAgg:
      return CellFn::StringAgg;
    case AggregateFn::ApproxDistinct:
      return CellFn::ApproxDistinct;
    case AggregateFn::Own:
      return CellFn::Own;
    case AggregateFn::Prev:
    case AggregateFn::Delta:
    case AggregateFn::Changed:
      return CellFn::Previous;
  }
  return CellFn::Count;
}

// What a window gives of it: how many events it has seen, and its state.
abi::TypeDescRef describe_own(const typed::OwnAggregate& own) {
  std::vector<abi::FieldDesc> fields(own.states.size() + 1);
  fields[0].name = "events";
  fields[0].type = abi::make_scalar(abi::TypeKind::I64);
  for (size_t i = 0; i < own.states.size(); ++i) {
    fields[i + 1].name = own.states[i].name;
    fields[i + 1].type = describe(own.states[i].type);
  }
  return abi::make_record(std::move(fields));
}

// How the value of an aggregate of the language lies in a sample: a list, record or map is packed.
state::WordKind kept_kind(typed::TypeRef type) {
  return typed::is_kept_as_words(type) ? state::word_kind(*describe(type)) : state::WordKind::Text;
}

// What is kept of what an aggregate of the script is passed: a T? has a second column, 1 where it is some. A
// list, record or map, or a T? of one, is one packed piece, which is kept as a text is.
std::vector<state::WordKind> argument_columns(const typed::AggregateCall& call) {
  std::vector<state::WordKind> out;
  for (typed::TypeRef type : call.own->parameter_types) {
    if (!typed::is_kept_as_words(type)) {
      out.push_back(state::WordKind::Text);
      continue;
    }
    bool optional = type->kind == Kind::Optional;
    out.push_back(state::word_kind(*describe(optional ? type->element : type)));
    if (optional) out.push_back(state::WordKind::Unsigned);
  }
  return out;
}

CellDesc describe_cell(const typed::AggregateCall& call) {
  CellDesc out;
  out.name = call.cell;
  out.fn = cell_fn(call);
  if (call.argument) out.kind = kept_kind(call.argument->type);
  if (call.order) out.order_kind = state::word_kind(*describe(call.order->type));
  out.share = call.share;
  out.most = static_cast<uint64_t>(call.most);
  out.separator = call.separator;
  out.result = call.own != nullptr ? describe_own(*call.own) : describe(call.result);
  if (call.own != nullptr)
    out.columns = std::max<uint32_t>(1, static_cast<uint32_t>(argument_columns(call).size()));
  return out;
}

void add_keys(const std::vector<typed::ExprPtr>& keys, const std::vector<std::string>& names,
              state::StoreDesc& desc) {
  for (size_t i = 0; i < keys.size(); ++i) {
    state::KeyDesc key;
    key.name = i < names.size() ? names[i] : "key" + std::to_string(i);
    key.type = describe(keys[i]->type);
    desc.keys.push_back(std::move(key));
  }
}

}  // namespace

namespace {

// Keys of a history are fields, or fields of fields.
std::vector<std::string> names_of(const std::vector<typed::ExprPtr>& keys, const typed::Type& record) {
  std::vector<std::string> out;
  for (const typed::ExprPtr& key : keys) {
    bool member = key->kind == typed::ExprKind::Member;
    const typed::Type* of = member ? key->args[0]->type : &record;
    bool named = member || key->kind == typed::ExprKind::Field;
    out.push_back(named ? of->fields[static_cast<size_t>(key->index)].name : "key");
  }
  return out;
}

// Histories of one stage with one argument over one stretch by one key share a ring. Not those of several
// arguments: an edit of one history must not part or join the samples of others at the cut.
void add_history_stores(const typed::Stage& stage, const std::string& path, std::vector<StoreNode>& out) {
  std::map<std::string, size_t> rings;
  for (size_t i = 0; i < stage.histories.size(); ++i) {
    const typed::History& history = stage.histories[i];
    bool ring = history.over == typed::OverKind::LastDuration || history.over == typed::OverKind::LastEvents;
    StoreNode node;
    node.desc.path = path;
    add_keys(history.keys, names_of(history.keys, *stage.input), node.desc);
    if (!ring) {
      node.desc.kind = StoreKind::Groups;
      node.desc.cells.push_back(describe_cell(history.call));
      node.desc.ttl = history.ttl.value_or(0);
      node.histories.push_back(static_cast<int>(i));
      node.columns.push_back(0);
      out.push_back(std::move(node));
      continue;
    }
    std::string ring_key =
        std::to_string(static_cast<int>(history.over)) + "/" + std::to_string(history.amount) + "/";
    for (const typed::ExprPtr& key : history.keys) ring_key += typed::identity_text(*key);
    ring_key += typed::text_of_kept(history.call);
    if (history.ttl) ring_key += "ttl" + std::to_string(*history.ttl);
    // Other arguments, other columns.
    if (history.call.own != nullptr) {
      ring_key += "own";
      for (typed::TypeRef type : history.call.own->parameter_types) ring_key += " " + type->text;
    }
    // What a shorter count lets go differs from key to key: such rings are never joined.
    if (history.over == typed::OverKind::LastEvents) ring_key += "#" + std::to_string(i);
    auto [known, fresh] = rings.emplace(ring_key, out.size());
    if (fresh) {
      node.desc.kind = StoreKind::Ring;
      node.desc.span = history.over == typed::OverKind::LastDuration ? history.amount : 0;
      node.desc.count =
          history.over == typed::OverKind::LastEvents ? static_cast<uint64_t>(history.amount) : 0;
      node.desc.ttl = history.ttl.value_or(0);
      out.push_back(std::move(node));
    }
    StoreNode& target = out[known->second];
    CellDesc cell = describe_cell(history.call);
    if (fresh) {
      std::vector<state::WordKind> kinds;
      if (history.call.own != nullptr) kinds = argument_columns(history.call);
      if (kinds.empty()) kinds.push_back(cell.kind);
      for (state::WordKind kind : kinds) target.desc.columns.push_back({kind, 0});
    }
    cell.column = 0;
    target.desc.cells.push_back(std::move(cell));
    target.histories.push_back(static_cast<int>(i));
    target.columns.push_back(0);
  }
}

void find_measures(const typed::Expr& expr, std::vector<uint32_t>& measures) {
  if (expr.kind == typed::ExprKind::Aggregate) measures.push_back(static_cast<uint32_t>(expr.index));
  for (const typed::ExprPtr& arg : expr.args) find_measures(*arg, measures);
}

StoreNode match_store(const typed::Stage& stage, const std::string& path) {
  const typed::Match& match = *stage.match;
  StoreNode node;
  state::StoreDesc& desc = node.desc;
  desc.kind = StoreKind::Match;
  desc.path = path;
  add_keys(stage.keys, stage.key_names, desc);
  desc.pattern = pattern_program(match);
  std::map<std::string, uint32_t> columns;  // by what they hold
  for (size_t i = 0; i < stage.aggregates.size(); ++i) {
    CellDesc measure = describe_cell(stage.aggregates[i]);
    auto [column, fresh] =
        columns.emplace(typed::text_of_kept(stage.aggregates[i]), static_cast<uint32_t>(desc.columns.size()));
    measure.column = column->second;
    if (fresh) {
      node.columns.push_back(static_cast<int>(i));
      desc.columns.push_back({measure.kind, 0});
    }
    if (fresh && stage.aggregates[i].order) {  // right behind the value
      node.columns.push_back(-1);
      desc.columns.push_back({measure.order_kind, 0});
    }
    desc.measures.push_back(std::move(measure));
    desc.pattern.measure_names.push_back(static_cast<uint32_t>(match.measure_names[i]));
  }
  Needs read(stage.input->fields.size(), 0);
  for (const typed::PatternName& name : match.names) {
    desc.pattern.measures_of.emplace_back();
    if (!name.looks_back) continue;
    add_needs(*name.condition, read);
    find_measures(*name.condition, desc.pattern.measures_of.back());
  }
  for (size_t i = 0; i < read.size(); ++i) {
    if (read[i] == 0) continue;
    node.fields.push_back(static_cast<int>(i));
    typed::TypeRef type = stage.input->fields[i].type;
    desc.columns.push_back({kept_kind(type), 0});
    bool present = type->kind == Kind::Optional && typed::is_kept_as_words(type);
    if (present) desc.columns.push_back({state::WordKind::Unsigned, 0});
  }
  return node;
}

StoreNode hold_store(const typed::Stage& stage, const std::string& path) {
  const typed::Hold& hold = *stage.hold;
  StoreNode node;
  state::StoreDesc& desc = node.desc;
  desc.kind = StoreKind::Held;
  desc.path = path;
  add_keys(stage.keys, stage.key_names, desc);
  desc.size = stage.window.size;
  desc.every = stage.window.every;
  desc.offset = stage.window.offset;
  desc.zone = stage.window.zone;
  desc.hold.kind = static_cast<state::HoldKind>(hold.kind);
  desc.hold.span = hold.span;
  desc.hold.count = hold.count;
  desc.hold.ties = static_cast<state::Ties>(hold.ties);
  desc.hold.whole = stage.window.kind == typed::WindowKind::All;
  if (stage.window.kind == typed::WindowKind::Session) desc.hold.window = state::HoldWindow::Session;
  if (stage.window.kind == typed::WindowKind::Count) desc.hold.window = state::HoldWindow::Count;
  std::vector<abi::FieldDesc> fields;
  auto add = [&](std::string name, abi::TypeDescRef type) {
    fields.push_back(abi::made_field(std::move(name), std::move(type)));
  };
  for (size_t i = 0; i < hold.order.size(); ++i) {
    add("order" + std::to_string(i), describe(hold.order[i].value->type));
    desc.hold.descending.push_back(static_cast<char>(hold.order[i].descending));
  }
  add("row", describe(stage.input));
  desc.hold.record = abi::make_record(std::move(fields));
  return node;
}

// A cell a variable, then one a timer; each begins with a word that says whether it holds anything.
StoreNode process_store(const typed::Stage& stage, const std::string& path) {
  StoreNode node;
  node.desc.kind = StoreKind::Process;
  node.desc.path = path;
  add_keys(stage.keys, stage.key_names, node.desc);
  node.desc.ttl = stage.ttl.value_or(0);
  auto add = [&](std::string name, abi::TypeDescRef type) {
    CellDesc cell;
    cell.name = std::move(name);
    cell.fn = CellFn::Own;
    std::vector<abi::FieldDesc> fields;
    fields.push_back(abi::made_field("set", abi::make_scalar(abi::TypeKind::I64)));
    fields.push_back(abi::made_field("value", std::move(type)));
    cell.result = abi::make_record(std::move(fields));
    node.desc.cells.push_back(std::move(cell));
  };
  for (const typed::ProcessState& state : stage.process->states) add(state.name, describe(state.type));
  for (const typed::ProcessTimer& timer : stage.process->timers) {
    add(timer.name + "/timer", abi::make_scalar(abi::TypeKind::Time));
    node.desc.timers.push_back(timer.name);
  }
  return node;
}

StoreNode join_store(const typed::Stage& stage, const std::string& path) {
  const typed::Join& join = *stage.join;
  StoreNode node;
  node.desc.kind = StoreKind::Join;
  node.desc.path = path;
  add_keys(stage.keys, stage.key_names, node.desc);
  node.desc.join.kind = static_cast<state::JoinKind>(join.kind);
  node.desc.join.low = join.low;
  node.desc.join.high = join.high;
  node.desc.join.left = describe(stage.input);
  node.desc.join.right = describe(join.right_type);
  node.desc.join.conditional = join.condition != nullptr;
  for (const char* side : {"left", "right"}) {
    CellDesc cell;
    cell.name = side;
    cell.result = abi::make_scalar(abi::TypeKind::I64);
    node.desc.cells.push_back(std::move(cell));
  }
  return node;
}

StoreNode table_store(const typed::Stage& stage, const std::string& path) {
  StoreNode node;
  node.desc.kind = StoreKind::Table;
  node.desc.path = path;
  add_keys(stage.keys, stage.key_names, node.desc);
  // A key that is none is an error of its row.
  for (state::KeyDesc& key : node.desc.keys) {
    if (key.type->kind == abi::TypeKind::Optional) key.type = key.type->element;
  }
  node.desc.table.record = describe(stage.input);
  node.desc.table.by_arrival = stage.newest == typed::Newest::ByArrival;
  node.desc.table.versioned = stage.versioned;
  node.desc.ttl = stage.ttl.value_or(0);
  CellDesc cell;
  cell.name = "rows";
  cell.result = abi::make_scalar(abi::TypeKind::I64);
  node.desc.cells.push_back(std::move(cell));
  return node;
}

// What it knows of its table is filled in when all stores are there.
StoreNode follow_store(const typed::Stage& stage, const std::string& path) {
  StoreNode node;
  node.desc.kind = StoreKind::Follow;
  node.desc.follow.at_end = stage.window.kind == typed::WindowKind::All;
  node.desc.path = path;
  add_keys(stage.keys, stage.key_names, node.desc);
  for (const typed::AggregateCall& call : stage.aggregates) {
    CellDesc measure = describe_cell(call);
    measure.column = static_cast<uint32_t>(node.desc.columns.size());
    if (call.own != nullptr) {
      // Its state is made anew of what the rows of the group have given: a result is the number of the group.
      measure.result = abi::make_scalar(abi::TypeKind::I64);
      for (state::WordKind kind : argument_columns(call)) node.desc.columns.push_back({kind, 0});
      node.desc.measures.push_back(std::move(measure));
      continue;
    }
    node.desc.columns.push_back({measure.kind, 0});
    if (call.order) node.desc.columns.push_back({measure.order_kind, 0});
    node.desc.measures.push_back(std::move(measure));
  }
  return node;
}

}  // namespace

std::vector<StoreNode> stores_of(const typed::Stage& stage, const std::string& path) {
  std::vector<StoreNode> out;
  if (!stage.histories.empty()) add_history_stores(stage, path, out);
  if (stage.kind == typed::StageKind::Dedupe) {
    StoreNode node;
    node.desc.kind = StoreKind::Dedupe;
    node.desc.path = path;
    add_keys(stage.keys, stage.key_names, node.desc);
    node.desc.span = stage.within;
    out.push_back(std::move(node));
  }
  if (!stage.follows.empty()) {
    out.push_back(follow_store(stage, path));
  } else if (stage.kind == typed::StageKind::Aggregate) {
    StoreNode node;
    node.desc.path = path;
    add_keys(stage.keys, stage.key_names, node.desc);
    for (const typed::AggregateCall& call : stage.aggregates) node.desc.cells.push_back(describe_cell(call));
    switch (stage.window.kind) {
      case typed::WindowKind::Running:
        node.desc.kind = StoreKind::Groups;
        node.desc.ttl = stage.ttl.value_or(0);
        break;
      case typed::WindowKind::All:
        node.desc.kind = StoreKind::Whole;
        break;
      case typed::WindowKind::Count:
        node.desc.kind = StoreKind::Counts;
        node.desc.ttl = stage.ttl.value_or(0);
        break;
      case typed::WindowKind::Session:
        node.desc.kind = StoreKind::Sessions;
        break;
      default: {
        bool own = std::any_of(stage.aggregates.begin(), stage.aggregates.end(),
                               [](const typed::AggregateCall& call) { return call.own != nullptr; });
        bool sliding = stage.window.kind == typed::WindowKind::Sliding;
        node.desc.kind = own && sliding ? StoreKind::Overlaps : StoreKind::Panes;
      }
    }
    node.desc.size = stage.window.size;
    node.desc.every = stage.window.every;
    node.desc.offset = stage.window.offset;
    node.desc.zone = stage.window.zone;
    if (stage.late == typed::LatePolicy::Update) node.desc.late_within = stage.late_within;
    if (stage.on_update) {
      node.desc.gives = state::Gives::AtUpdate;
    } else if (stage.trigger_every > 0) {
      node.desc.gives = state::Gives::AtTicks;
      node.desc.tick_every = stage.trigger_every;
    }
    out.push_back(std::move(node));
  }
  if (stage.kind == typed::StageKind::Join) out.push_back(join_store(stage, path));
  if (stage.kind == typed::StageKind::Table) out.push_back(table_store(stage, path));
  if (stage.kind == typed::StageKind::Hold) out.push_back(hold_store(stage, path));
  if (stage.kind == typed::StageKind::Match) out.push_back(match_store(stage, path));
  if (stage.process && stage.process->keeps_state()) out.push_back(process_store(stage, path));
  for (StoreNode& node : out) state::lay_out(node.desc);
  return out;
}

}  // namespace mut::graph
