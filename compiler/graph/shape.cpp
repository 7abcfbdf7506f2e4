#include "compiler/graph/shape.h"

#include <algorithm>

namespace mut::graph {

using typed::Expr;
using typed::ExprKind;
using typed::Kind;

namespace {

class CodeDescriber {
 public:
  explicit CodeDescriber(Graph& graph) : out_(graph) {}

  void run() {
    name_arguments();
    number_literals();
    describe_shape();
  }

 private:
  void number(const Expr& expr) {
    if (expr.kind == ExprKind::Literal && !expr.value.is_none() && !typed::holds_values(expr.type) &&
        expr.type->kind != Kind::Error) {
      out_.literal_slots[&expr] = static_cast<int>(out_.literals.size());
      out_.literals.push_back(expr.value);
      out_.literal_types.push_back(expr.type->kind == Kind::Optional ? expr.type->element : expr.type);
    }
    if (expr.kind == ExprKind::Cast || expr.kind == ExprKind::CastOptional) {
      name_type(expr.type->kind == Kind::Optional ? expr.type->element : expr.type);
    }
    bool made = expr.kind == ExprKind::Call || expr.kind == ExprKind::MakeMap;
    if (made && !expr.type->text.empty()) name_type(expr.type);
    bool regex = expr.kind == ExprKind::Call && expr.builtin >= typed::Builtin::Matches &&
                 expr.builtin <= typed::Builtin::Capture;
    if (regex && std::find(out_.regexes.begin(), out_.regexes.end(), expr.spec) == out_.regexes.end())
      out_.regexes.push_back(expr.spec);
    bool zone = expr.kind == ExprKind::Call &&
                (expr.builtin == typed::Builtin::ToLocal || expr.builtin == typed::Builtin::FromLocal);
    if (zone && std::find(out_.zones.begin(), out_.zones.end(), expr.spec) == out_.zones.end())
      out_.zones.push_back(expr.spec);
    for (const typed::ExprPtr& arg : expr.args) {
      if (expr.kind == ExprKind::Cast || expr.kind == ExprKind::CastOptional ||
          expr.kind == ExprKind::Format) {
        name_type(arg->type->kind == Kind::Optional ? arg->type->element : arg->type);
      }
      if (expr.kind == ExprKind::Binary) name_compared(arg->type);
      if (expr.kind == ExprKind::Call || expr.kind == ExprKind::Element) name_type(arg->type);
      number(*arg);
    }
  }

  // Lists and maps, at any depth of records, are compared by the runtime.
  void name_compared(typed::TypeRef type) {
    typed::TypeRef inner = typed::without_none(type);
    if (inner->kind == Kind::List || inner->kind == Kind::Map) name_type(inner);
    if (inner->kind != Kind::Record) return;
    for (const typed::Field& field : inner->fields) name_compared(field.type);
  }

  void name_type(typed::TypeRef type) {
    if (runtime_type(out_, type) < 0) out_.runtime_types.push_back(type);
  }

  void for_all_exprs(const std::function<void(const Expr&)>& visit) const {
    const typed::Program& program = *out_.program;
    for (const typed::Source& source : program.sources) {
      if (source.time) visit(*source.time);
      for (const typed::Output& output : source.generated) visit(*output.value);
    }
    for (size_t i = 0; i < program.streams.size(); ++i) {
      if (!out_.live[i]) continue;
      for (const typed::Input& input : program.streams[i].inputs) {
        for (const typed::Output& output : input.conversion) visit(*output.value);
      }
      for (const typed::Stage& stage : program.streams[i].stages) for_each_expr(stage, visit);
    }
    for (const typed::Route& route : program.routes) {
      for (const typed::RouteBranch& branch : route.branches) {
        if (branch.condition) visit(*branch.condition);
      }
    }
  }

  // Of what is packed where events are kept for aggregates of the script and for patterns.
  void name_arguments() {
    auto name_packed = [&](typed::TypeRef type) {
      if (!typed::is_kept_as_words(type)) name_type(type);
    };
    auto name = [&](const typed::AggregateCall& call) {
      if (call.own == nullptr) return;
      for (typed::TypeRef type : call.own->parameter_types) name_packed(type);
    };
    const typed::Program& program = *out_.program;
    for (size_t i = 0; i < program.streams.size(); ++i) {
      if (!out_.live[i]) continue;
      for (const typed::Stage& stage : program.streams[i].stages) {
        for (const typed::History& history : stage.histories) name(history.call);
        for (const typed::AggregateCall& call : stage.aggregates) {
          name(call);
          if (stage.match && call.argument) name_packed(typed::without_none(call.argument->type));
        }
      }
    }
    for (const StoreNode& node : out_.stores) {
      for (int field : node.fields)
        name_packed(stage_of(node).input->fields[static_cast<size_t>(field)].type);
    }
  }

  const typed::Stage& stage_of(const StoreNode& node) const {
    return out_.program->streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  }

  void number_literals() {
    for_all_exprs([&](const Expr& expr) { number(expr); });
  }

  void shape(const Expr& expr, std::string& out) const {
    out += '(';
    out += std::to_string(static_cast<int>(expr.kind)) + "," + std::to_string(static_cast<int>(expr.op)) +
           "," + std::to_string(static_cast<int>(expr.builtin)) + "," + std::to_string(expr.index) + "," +
           expr.spec + ":" + expr.type->text;
    if (expr.type->kind == Kind::Enum) {
      for (const std::string& value : expr.type->values) out += "|" + value;
    }
    if (expr.kind == ExprKind::Literal) out += expr.value.is_none() ? "none" : "slot";
    for (const typed::ExprPtr& arg : expr.args) shape(*arg, out);
    out += ')';
  }

  // Which of the expressions of a stage belong to what: they follow behind all stages, one after the other.
  static void call_shape(const typed::AggregateCall& call, std::string& out) {
    out += " " + std::to_string(static_cast<int>(call.fn)) + (call.argument ? "a" : "") +
           (call.order ? "o" : "") + (call.filter ? "f" : "") + std::to_string(call.arguments.size()) +
           call.result->text;
    if (call.own == nullptr) return;
    out += " own" + std::to_string(call.own->parameters.size()) + "," +
           std::to_string(call.own->constants.size()) + "," + std::to_string(call.own->states.size()) + "," +
           std::to_string(call.own->merge.size());
    for (int local : call.own->parameters) out += "," + std::to_string(local);
    for (typed::TypeRef type : call.own->parameter_types) out += "," + type->text;
    for (const typed::OwnState& state : call.own->states) out += "," + std::to_string(state.local);
    for (const auto& [local, value] : call.own->constants) out += "," + std::to_string(local);
  }

  void describe_shape() {
    const typed::Program& program = *out_.program;
    std::string& out = out_.shape;
    auto needs_text = [&](const Needs& needs) {
      for (char need : needs) out += need ? '1' : '0';
    };
    for (const typed::Param& param : program.params) out += "param " + param.type->text + "\n";
    for (const typed::Source& source : program.sources) {
      out += "source " + source.type->text + std::to_string(source.lateness) +
             (source.connector.name == "generate" ? "generate" : "") + (source.time ? "t" : "") +
             std::to_string(source.generated.size()) + "\n";
    }
    for (size_t i = 0; i < program.streams.size(); ++i) {
      const typed::Stream& stream = program.streams[i];
      out += "stream " + std::to_string(static_cast<int>(stream.kind)) + "," + std::to_string(stream.source) +
             (out_.live[i] ? "live" : "dead") + std::to_string(out_.errors_of[i]) + stream.type->text;
      for (const typed::Input& input : stream.inputs)
        out += "<" + std::to_string(input.stream) + "," + std::to_string(input.conversion.size());
      for (const Needs& needs : out_.needs[i]) {
        out += "/";
        needs_text(needs);
      }
      for (const typed::Stage& stage : stream.stages) {
        out += "\n stage " + std::to_string(static_cast<int>(stage.kind)) + "," +
               std::to_string(stage.late_stream) +
               (stage.on_update           ? "u"
                : stage.trigger_every > 0 ? "t"
                                          : "") +
               (stage.late == typed::LatePolicy::Update ? "l" : "") + "," + std::to_string(stage.list_field) +
               "," + std::to_string(stage.flatten_output) + "," + std::to_string(stage.most);
        for (const typed::History& history : stage.histories) {
          out += (history.excluding_current ? "x" : "i") + std::to_string(static_cast<int>(history.over)) +
                 "," + std::to_string(history.keys.size());
          call_shape(history.call, out);
        }
        for (const typed::AggregateCall& call : stage.aggregates) call_shape(call, out);
        out += ";" + std::to_string(stage.keys.size()) + "," + std::to_string(stage.outputs.size()) +
               (stage.condition ? "c" : "") + (stage.list ? "l" : "");
        if (stage.hold) out += "hold" + std::to_string(stage.hold->order.size()) + stage.output->text;
        if (stage.process) {
          out += "process" + stage.output->text + typed::outline(stage.process->on_event);
          for (const typed::ProcessState& state : stage.process->states)
            out += "," + std::to_string(state.local) + state.type->text;
          for (int local : stage.process->key_locals) out += "," + std::to_string(local);
          for (const typed::ProcessTimer& timer : stage.process->timers) out += typed::outline(timer.body);
        }
        if (stage.match) {
          out += "match";
          for (size_t name = 0; name < stage.match->names.size(); ++name) {
            const typed::PatternName& of = stage.match->names[name];
            out += of.looks_back ? "b" : of.condition ? "c" : "n";
          }
        }
        if (stage.join) {
          out += "join" + std::to_string(static_cast<int>(stage.join->kind)) + "," +
                 std::to_string(stage.join->right) + (stage.join->condition ? "c" : "") +
                 (stage.join->as_of ? "a" : "") + std::to_string(stage.join->right_keys.size()) +
                 stage.join->pair->text;
        }
      }
      for (const Consumer& consumer : out_.consumers[i]) {
        out += "\n to " + std::to_string(static_cast<int>(consumer.kind)) + "," +
               std::to_string(consumer.index) + "," + std::to_string(consumer.input);
      }
      out += "\n";
    }
    for (const typed::Route& route : program.routes) {
      out += route.all ? "route all" : "route";
      for (const typed::RouteBranch& branch : route.branches)
        out += (branch.condition ? " c" : " e") + std::to_string(branch.stream);
      out += "\n";
    }
    for (const StoreNode& node : out_.stores) {
      out += "store " + std::to_string(static_cast<int>(node.desc.kind)) + "," +
             std::to_string(node.desc.row_size) + "," + std::to_string(node.desc.text_mask) + "," +
             std::to_string(node.desc.key_words) + "," + std::to_string(node.desc.ttl != 0) +
             (state::slides(node.desc)
                  ? "s" + std::to_string(node.desc.size) + "/" + std::to_string(node.desc.every)
                  : "");
      for (const state::KeyDesc& key : node.desc.keys) out += key.optional ? "o" : "k";
      for (const state::CellDesc& cell : node.desc.cells) {
        out += " c" + std::to_string(static_cast<int>(cell.fn)) + "," +
               std::to_string(static_cast<int>(cell.kind)) + "," +
               std::to_string(static_cast<int>(cell.order_kind)) + "," + std::to_string(cell.offset) + "," +
               std::to_string(cell.column);
      }
      for (const state::ColumnDesc& column : node.desc.columns) out += " w" + std::to_string(column.word);
      for (int history : node.histories) out += " h" + std::to_string(history);
      if (node.table >= 0) out += " t" + std::to_string(node.table);
      for (size_t i = 0; i < node.desc.measures.size(); ++i) {
        const state::CellDesc& measure = node.desc.measures[i];
        out += " m" + std::to_string(measure.column) + "," + std::to_string(static_cast<int>(measure.fn)) +
               "," + std::to_string(static_cast<int>(measure.kind)) + "," +
               std::to_string(static_cast<int>(measure.order_kind)) + "," +
               stage_of(node).aggregates[i].result->text;
      }
      for (int field : node.fields)
        out += " f" + std::to_string(field) +
               stage_of(node).input->fields[static_cast<size_t>(field)].type->text;
      out += "\n";
    }
    for_all_exprs([&](const Expr& expr) { shape(expr, out); });
    if (out_.shards == Graph::Shards::Several) describe_spread(out);
  }

  void describe_spread(std::string& out) const {
    auto asks = [&](Asks what) { out += what == Asks::Key ? 'k' : what == Asks::First ? 'f' : '-'; };
    out += "\nshards";
    for (size_t i = 0; i < out_.spread.stages.size(); ++i) {
      out += '/';
      for (const Spread::StageSpread& stage : out_.spread.stages[i]) {
        out += std::to_string(stage.key);
        asks(stage.asks);
        asks(stage.asks_right);
      }
      for (Asks input : out_.spread.inputs[i]) asks(input);
      asks(out_.spread.error_inputs[i]);
    }
    if (out_.spread.parts) out += "/parts";
    for (char everywhere : out_.spread.everywhere_at) out += everywhere != 0 ? 'e' : 'o';
    for (char everywhere : out_.spread.emits_everywhere) out += everywhere != 0 ? 'e' : 'o';
  }

  Graph& out_;
};

}  // namespace

void describe_code(Graph& graph) { CodeDescriber(graph).run(); }

}  // namespace mut::graph
