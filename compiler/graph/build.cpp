#include <algorithm>

#include "compiler/graph/best_rows.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/spread.h"
#include "compiler/graph/stores.h"

namespace mut::graph {

using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::Op;
using typed::StageKind;

bool is_breaker(const typed::Stage& stage) {
  return stage.kind == StageKind::Match || stage.kind == StageKind::Hold ||
         (stage.process && !stage.process->timers.empty()) ||
         (stage.kind == StageKind::Aggregate &&
          (stage.window.kind != typed::WindowKind::Running || !stage.follows.empty())) ||
         stage.ticks();
}

bool waits_above(const typed::Program& program, int stream, size_t stage) {
  const typed::Stream& of = program.streams[static_cast<size_t>(stream)];
  auto waits = [](const typed::Stage& at) {
    bool at_once = at.kind == StageKind::Aggregate && !at.ticks() &&
                   (at.window.kind == typed::WindowKind::Count ||
                    (!at.follows.empty() && at.window.kind != typed::WindowKind::All));
    at_once = at_once || (at.hold && at.window.kind == typed::WindowKind::Count);
    return at.kind == StageKind::Join || (is_breaker(at) && !at_once);
  };
  if (std::any_of(of.stages.begin(), of.stages.begin() + static_cast<ptrdiff_t>(stage), waits)) return true;
  return std::any_of(of.inputs.begin(), of.inputs.end(), [&](const typed::Input& input) {
    return input.stream >= 0 && waits_above(program, input.stream,
                                            program.streams[static_cast<size_t>(input.stream)].stages.size());
  });
}

bool can_fail(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Cast:
    case ExprKind::Element:
      return true;
    case ExprKind::Convert:
      if (typed::widening_can_fail(expr.args[0]->type, expr.type)) return true;
      break;
    case ExprKind::Try:
      return can_fail(*expr.args[1]);
    case ExprKind::CastOptional:
      return can_fail(*expr.args[0]);
    case ExprKind::Unary:
      if (expr.op == Op::Negate && expr.type->kind != Kind::Float) return true;
      break;
    case ExprKind::Binary:
      if (expr.op >= Op::Add && expr.type->kind != Kind::Float && expr.type->kind != Kind::String)
        return true;
      if (expr.op == Op::Divide && expr.args[0]->type->kind == Kind::Duration) break;
      break;
    case ExprKind::Call:
      switch (expr.builtin) {
        case typed::Builtin::Round:  // to a larger scale
          if (expr.type->kind == Kind::Decimal) return true;
          break;
        case typed::Builtin::Abs:
        case typed::Builtin::Mod:
        case typed::Builtin::ShiftLeft:
        case typed::Builtin::ShiftRight:
        case typed::Builtin::ListSum:
        case typed::Builtin::ParseTime:
          return true;
        default:
          break;
      }
      break;
    case ExprKind::History:
    case ExprKind::Aggregate:
      return true;  // an int sum may overflow
    default:
      break;
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const typed::ExprPtr& arg) { return can_fail(*arg); });
}

void add_needs(const Expr& expr, Needs& needs) {
  if (expr.kind == ExprKind::Field) needs[static_cast<size_t>(expr.index)] = 1;
  for (const typed::ExprPtr& arg : expr.args) add_needs(*arg, needs);
}

void for_each_expr(const typed::Stage& stage, const std::function<void(const Expr&)>& visit) {
  auto call = [&](const typed::AggregateCall& aggregate) {
    for (size_t i = 0; const Expr* argument = typed::argument_of(aggregate, i); ++i) visit(*argument);
    if (aggregate.filter) visit(*aggregate.filter);
    if (aggregate.own == nullptr) return;
    const typed::OwnAggregate& own = *aggregate.own;
    for (const auto& [local, value] : own.constants) visit(*value);
    for (const typed::OwnState& state : own.states) visit(*state.initial);
    for (const typed::ExprPtr& each : own.add) visit(*each);
    for (const typed::ExprPtr& each : own.merge) visit(*each);
    visit(*own.result);
  };
  for (const typed::History& history : stage.histories) {
    call(history.call);
    for (const typed::ExprPtr& key : history.keys) visit(*key);
  }
  if (stage.condition) visit(*stage.condition);
  if (stage.list) visit(*stage.list);
  for (const typed::ExprPtr& key : stage.keys) visit(*key);
  for (const typed::AggregateCall& aggregate : stage.aggregates) call(aggregate);
  for (const typed::Output& output : stage.outputs) visit(*output.value);
  if (stage.hold) {
    for (const typed::OrderKey& key : stage.hold->order) visit(*key.value);
  }
  if (stage.match) {
    for (const typed::PatternName& name : stage.match->names) {
      if (name.condition) visit(*name.condition);
    }
  }
  if (stage.process) typed::for_each_expr(*stage.process, visit);
  if (!stage.join) return;
  for (const typed::ExprPtr& key : stage.join->right_keys) visit(*key);
  if (stage.join->condition) visit(*stage.join->condition);
  if (stage.join->as_of) visit(*stage.join->as_of);
}

namespace {

bool stage_can_fail(const typed::Stage& stage) {
  bool fails = stage.stateful() || stage.kind == StageKind::Flatten;
  for_each_expr(stage, [&](const Expr& expr) { fails = fails || can_fail(expr); });
  return fails;
}

void mark_all(Needs& needs) { std::fill(needs.begin(), needs.end(), 1); }

class Builder {
 public:
  Builder(std::shared_ptr<const typed::Program> program, const std::vector<int>& observed,
          Graph::Shards shards)
      : observed_(observed) {
    out_.program = std::move(program);
    out_.shards = shards;
  }

  Graph run() {
    const typed::Program& program = *out_.program;
    out_.first_site.push_back(0);
    for (const typed::Stream& stream : program.streams)
      out_.first_site.push_back(out_.first_site.back() + static_cast<int>(stream.stages.size()) + 2);
    out_.consumers.resize(program.streams.size());
    out_.errors_of.assign(program.streams.size(), -1);
    out_.source_mask.assign(program.streams.size(), 0);
    out_.live.assign(program.streams.size(), 0);
    out_.needs.resize(program.streams.size());
    out_.stage_stores.resize(program.streams.size());
    connect();
    find_live();
    for (size_t i = program.streams.size(); i-- > 0;) need(static_cast<int>(i));
    for (size_t i = 0; i < program.streams.size(); ++i) {
      const typed::Stream& stream = program.streams[i];
      out_.stage_stores[i].resize(stream.stages.size());
      if (!out_.live[i]) continue;
      for (size_t j = 0; j < stream.stages.size(); ++j) {
        for (StoreNode& node : stores_of(stream.stages[j], stream.name + "/" + stream.stages[j].name)) {
          node.stream = static_cast<int>(i);
          node.stage = static_cast<int>(j);
          out_.stage_stores[i][j].push_back(static_cast<int>(out_.stores.size()));
          out_.stores.push_back(std::move(node));
        }
      }
    }
    find_followers();
    find_best_rows();
    if (out_.shards == Graph::Shards::Several) spread_over_shards(out_);
    describe_code(out_);
    for (size_t i = 0; i < program.streams.size(); ++i) {
      if (auto index = index_readers(out_, static_cast<int>(i))) out_.reader_indexes.push_back(*index);
    }
    return std::move(out_);
  }

 private:
  // What follows the rows of a table knows its key and how long its rows are kept.
  void find_followers() {
    const typed::Program& program = *out_.program;
    out_.followers.resize(program.streams.size());
    for (size_t i = 0; i < out_.stores.size(); ++i) {
      StoreNode& node = out_.stores[i];
      if (node.desc.kind != state::StoreKind::Follow) continue;
      const typed::Stage& stage =
          program.streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
      auto table = static_cast<size_t>(program.find_stream(stage.follows));
      node.table = out_.stage_stores[table].back()[0];
      const state::StoreDesc& rows = out_.stores[static_cast<size_t>(node.table)].desc;
      node.desc.follow.keys = rows.keys;
      node.desc.ttl = rows.ttl;
      out_.followers[table].push_back(static_cast<int>(i));
    }
  }

  // Of `aggregate … | top n by its result` the aggregate needs to give the best groups of a window only.
  void find_best_rows() {
    for (StoreNode& node : out_.stores) {
      const typed::Stream& stream = out_.program->streams[static_cast<size_t>(node.stream)];
      auto behind = static_cast<size_t>(node.stage) + 1;
      if (behind == stream.stages.size() || node.desc.kind != state::StoreKind::Panes) continue;
      const std::vector<int>& held = out_.stage_stores[static_cast<size_t>(node.stream)][behind];
      if (held.empty()) continue;
      node.desc.best = best_rows(stream.stages[behind - 1], node.desc, stream.stages[behind],
                                 out_.stores[static_cast<size_t>(held[0])].desc.path);
    }
  }

  void connect() {
    const typed::Program& program = *out_.program;
    struct Placed {
      uint32_t at;
      int producer;
      Consumer consumer;
    };
    std::vector<Placed> placed;
    for (size_t i = 0; i < program.streams.size(); ++i) {
      const typed::Stream& stream = program.streams[i];
      if (stream.kind == typed::StreamKind::Errors)
        out_.errors_of[static_cast<size_t>(stream.inputs[0].stream)] = static_cast<int>(i);
      if (stream.kind != typed::StreamKind::Pipeline) continue;
      for (size_t k = 0; k < stream.inputs.size(); ++k) {
        placed.push_back({stream.span.begin,
                          stream.inputs[k].stream,
                          {Consumer::Kind::Stream, static_cast<int>(i), static_cast<int>(k)}});
      }
      for (size_t k = 0; k < stream.stages.size(); ++k) {
        if (stream.stages[k].kind != StageKind::Join) continue;
        placed.push_back({stream.span.begin,
                          stream.stages[k].join->right,
                          {Consumer::Kind::Join, static_cast<int>(i), static_cast<int>(k)}});
      }
    }
    for (size_t i = 0; i < program.routes.size(); ++i) {
      placed.push_back({program.routes[i].span.begin,
                        program.routes[i].input,
                        {Consumer::Kind::Route, static_cast<int>(i), 0}});
    }
    for (size_t i = 0; i < program.emits.size(); ++i) {
      placed.push_back({program.emits[i].span.begin,
                        program.emits[i].stream,
                        {Consumer::Kind::Emit, static_cast<int>(i), 0}});
    }
    for (size_t i = 0; i < program.sets.size(); ++i) {
      placed.push_back({program.sets[i].span.begin,
                        program.sets[i].stream,
                        {Consumer::Kind::Set, static_cast<int>(i), 0}});
    }
    std::stable_sort(placed.begin(), placed.end(),
                     [](const Placed& a, const Placed& b) { return a.at < b.at; });
    for (const Placed& entry : placed)
      out_.consumers[static_cast<size_t>(entry.producer)].push_back(entry.consumer);
    for (size_t i = 0; i < program.streams.size(); ++i) {
      if (program.streams[i].kind == typed::StreamKind::Source)
        out_.source_mask[i] |= uint64_t{1} << program.streams[i].source;
    }
    // Inputs stand before their readers, branches after the routed stream, so one pass is enough.
    for (size_t i = 0; i < program.streams.size(); ++i) {
      for (const typed::Input& input : program.streams[i].inputs) {
        if (input.stream >= 0) out_.source_mask[i] |= out_.source_mask[static_cast<size_t>(input.stream)];
      }
      for (const typed::Stage& stage : program.streams[i].stages) {
        if (stage.join) out_.source_mask[i] |= out_.source_mask[static_cast<size_t>(stage.join->right)];
      }
    }
  }

  void find_live() {
    const typed::Program& program = *out_.program;
    for (int stream : observed_) out_.live[static_cast<size_t>(stream)] = 1;
    for (const typed::Emit& emit : program.emits) out_.live[static_cast<size_t>(emit.stream)] = 1;
    for (const typed::Set& set : program.sets) out_.live[static_cast<size_t>(set.stream)] = 1;
    bool changed = true;
    while (changed) {
      changed = false;
      for (size_t i = program.streams.size(); i-- > 0;) {
        if (!out_.live[i]) continue;
        for (const typed::Input& input : program.streams[i].inputs) {
          char& live = out_.live[static_cast<size_t>(input.stream)];
          changed = changed || live == 0;
          live = 1;
        }
        for (const typed::Stage& stage : program.streams[i].stages) {
          if (!stage.join) continue;
          char& live = out_.live[static_cast<size_t>(stage.join->right)];
          changed = changed || live == 0;
          live = 1;
        }
      }
    }
    // A route is followed only when one of its branches is.
    for (auto& consumers : out_.consumers) {
      std::erase_if(consumers, [&](const Consumer& consumer) {
        if (consumer.kind == Consumer::Kind::Stream || consumer.kind == Consumer::Kind::Join)
          return out_.live[static_cast<size_t>(consumer.index)] == 0;
        if (consumer.kind != Consumer::Kind::Route) return false;
        const auto& branches = program.routes[static_cast<size_t>(consumer.index)].branches;
        return std::none_of(branches.begin(), branches.end(), [&](const typed::RouteBranch& branch) {
          return out_.live[static_cast<size_t>(branch.stream)] != 0;
        });
      });
    }
  }

  void need(int index) {
    auto i = static_cast<size_t>(index);
    const typed::Program& program = *out_.program;
    const typed::Stream& stream = program.streams[i];
    bool errors_read = out_.errors_of[i] >= 0 && out_.live[static_cast<size_t>(out_.errors_of[i])] != 0;
    Needs end(stream.type->fields.size(), 0);
    if (std::find(observed_.begin(), observed_.end(), index) != observed_.end()) mark_all(end);
    for (const Consumer& consumer : out_.consumers[i]) {
      switch (consumer.kind) {
        case Consumer::Kind::Emit:
        case Consumer::Kind::Set:
        case Consumer::Kind::Join:  // keeps whole rows
          mark_all(end);
          break;
        case Consumer::Kind::Route:
          for (const typed::RouteBranch& branch :
               program.routes[static_cast<size_t>(consumer.index)].branches) {
            if (branch.condition) {
              add_needs(*branch.condition, end);
              if (errors_read && can_fail(*branch.condition)) mark_all(end);
            }
            add_all(branch.stream, end);
          }
          break;
        case Consumer::Kind::Stream: {
          const typed::Input& input = program.streams[static_cast<size_t>(consumer.index)]
                                          .inputs[static_cast<size_t>(consumer.input)];
          const Needs& head = out_.needs[static_cast<size_t>(consumer.index)].front();
          for (size_t f = 0; f < head.size(); ++f) {
            if (!head[f]) continue;
            if (input.conversion.empty()) {
              end[f] = 1;
            } else {
              add_needs(*input.conversion[f].value, end);
            }
          }
          break;
        }
      }
    }
    std::vector<Needs> all(stream.stages.size() + 1);
    all.back() = end;
    for (size_t s = stream.stages.size(); s-- > 0;) {
      const typed::Stage& stage = stream.stages[s];
      Needs in(stage.input->fields.size(), 0);
      const Needs& after = all[s + 1];
      auto visit = [&](const Expr& expr) { add_needs(expr, in); };
      switch (stage.kind) {
        case StageKind::Where:
        case StageKind::Dedupe:
          in = after;
          for_each_expr(stage, visit);
          break;
        case StageKind::Project:
          for (const typed::History& history : stage.histories) {
            for (size_t a = 0; const Expr* argument = typed::argument_of(history.call, a); ++a)
              visit(*argument);
            if (history.call.filter) visit(*history.call.filter);
            for (const typed::ExprPtr& key : history.keys) visit(*key);
          }
          for (size_t f = 0; f < stage.outputs.size(); ++f) {
            if (after[f] || can_fail(*stage.outputs[f].value)) visit(*stage.outputs[f].value);
          }
          break;
        case StageKind::Flatten:
          for (size_t f = 0; f < in.size(); ++f) {
            int out = stage.output->field_index(stage.input->fields[f].name);
            if (out >= 0 && out != stage.flatten_output && after[static_cast<size_t>(out)]) in[f] = 1;
          }
          visit(*stage.list);
          break;
        case StageKind::Hold:  // keeps whole rows
          mark_all(in);
          break;
        case StageKind::Process:
          for_each_expr(stage, visit);
          break;
        case StageKind::Match:
          for (const typed::PatternName& name : stage.match->names) {
            if (name.condition) visit(*name.condition);
          }
          [[fallthrough]];
        case StageKind::Aggregate:
          for (const typed::ExprPtr& key : stage.keys) visit(*key);
          for (const typed::AggregateCall& call : stage.aggregates) {
            for (size_t a = 0; const Expr* argument = typed::argument_of(call, a); ++a) visit(*argument);
            if (call.filter) visit(*call.filter);
          }
          if (stage.late_stream >= 0 && out_.live[static_cast<size_t>(stage.late_stream)]) mark_all(in);
          break;
        case StageKind::Join:
        case StageKind::Table:
          mark_all(in);  // whole rows are kept
          break;
        case StageKind::Lookup:
          for (size_t f = 0; f < in.size(); ++f) in[f] = after[f];
          for (const typed::ExprPtr& key : stage.keys) visit(*key);
          if (stage.join->as_of) visit(*stage.join->as_of);
          if (stage.join->condition) {
            Needs pair(stage.join->pair->fields.size(), 0);
            add_needs(*stage.join->condition, pair);
            for (size_t f = 0; f < in.size(); ++f) in[f] = in[f] || pair[f];
          }
          break;
      }
      if (errors_read && stage_can_fail(stage)) mark_all(in);
      all[s] = std::move(in);
    }
    if (stream.kind == typed::StreamKind::Source) {
      const typed::Source& source = program.sources[static_cast<size_t>(stream.source)];
      if (source.time) add_needs(*source.time, all[0]);
      if (source.time && errors_read && can_fail(*source.time)) mark_all(all[0]);
    }
    out_.needs[i] = std::move(all);
  }

  void add_all(int stream, Needs& target) const {
    if (out_.live[static_cast<size_t>(stream)] == 0) return;
    const Needs& head = out_.needs[static_cast<size_t>(stream)].front();
    for (size_t f = 0; f < head.size(); ++f) target[f] = target[f] || head[f];
  }

  const std::vector<int>& observed_;
  Graph out_;
};

}  // namespace

int runtime_type(const Graph& graph, typed::TypeRef type) {
  for (size_t i = 0; i < graph.runtime_types.size(); ++i) {
    if (graph.runtime_types[i]->text == type->text) return static_cast<int>(i);
  }
  return -1;
}

int error_site(const Graph& graph, int stream, int stage) {
  return graph.first_site[static_cast<size_t>(stream)] + stage;
}

int route_error_site(const Graph& graph, int route) {
  return error_site(graph, static_cast<int>(graph.program->streams.size()), 0) + route;
}

int set_error_site(const Graph& graph, int set) {
  return route_error_site(graph, static_cast<int>(graph.program->routes.size())) + set;
}

int join_error_site(const Graph& graph, int stream, int stage) {
  int site = set_error_site(graph, static_cast<int>(graph.program->sets.size()));
  for (int i = 0; i <= stream && i < static_cast<int>(graph.program->streams.size()); ++i) {
    const auto& stages = graph.program->streams[static_cast<size_t>(i)].stages;
    for (int k = 0; k < (i < stream ? static_cast<int>(stages.size()) : stage); ++k)
      site += stages[static_cast<size_t>(k)].join ? 1 : 0;
  }
  return site;
}

int error_site_count(const Graph& graph) {
  return join_error_site(graph, static_cast<int>(graph.program->streams.size()), 0);
}

Graph build_graph(std::shared_ptr<const typed::Program> program, const std::vector<int>& observed,
                  Graph::Shards shards) {
  return Builder(std::move(program), observed, shards).run();
}

}  // namespace mut::graph
