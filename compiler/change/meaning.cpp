#include "compiler/change/meaning.h"

#include <algorithm>
#include <bit>

#include "compiler/change/lineage.h"
#include "compiler/change/process_hash.h"
#include "compiler/graph/pattern_program.h"

namespace mut::change {
namespace {

using typed::StageKind;

Hash type_hash(typed::TypeRef type) {
  Hasher out("type");
  out.add(type->text);
  for (const std::string& value : type->values) out.add(value);
  if (type->element != nullptr) out.add(type_hash(type->element));
  for (const typed::Field& field : type->fields) {
    out.add(field.name).add(field.input_name).add(type_hash(field.type));
    if (field.default_value) out.add(constant_hash(*field.default_value, field.type));
  }
  return out.done();
}

class MeaningHasher {
 public:
  explicit MeaningHasher(const graph::Graph& graph)
      : graph_(graph), program_(*graph.program), lineage_(graph, Detail::Exact, no_names_) {}

  Meaning run() {
    Meaning out;
    Hasher all("program");
    for (const typed::Param& param : program_.params) all.add(param_hash(param));
    for (const typed::Source& source : program_.sources) {
      if (graph_.live[static_cast<size_t>(source.stream)]) all.add(source_hash(source));
    }
    for (size_t i = 0; i < program_.streams.size(); ++i) {
      if (!graph_.live[i]) continue;
      Hash hash = stream_hash(static_cast<int>(i));
      out.streams[program_.streams[i].name] = hash;
      all.add(hash);
    }
    for (const typed::Emit& emit : program_.emits) {
      all.add("emit").add(emit.name).add(stream_name(emit.stream)).add(connector_hash(emit.connector));
    }
    for (const typed::Set& set : program_.sets) {
      all.add("set").add(program_.params[static_cast<size_t>(set.param)].name).add(stream_name(set.stream));
      all.add(static_cast<uint64_t>(set.every));
    }
    out.program = all.done();
    return out;
  }

 private:
  const std::string& stream_name(int stream) const {
    return program_.streams[static_cast<size_t>(stream)].name;
  }

  static Hash param_hash(const typed::Param& param) {
    Hasher out("param");
    out.add(param.name).add(type_hash(param.type)).add(constant_hash(param.value, param.type));
    if (param.low) out.add(constant_hash(*param.low, param.type));
    if (param.high) out.add(constant_hash(*param.high, param.type));
    return out.done();
  }

  Hash connector_hash(const typed::Connector& connector) const {
    Hasher out("connector");
    out.add(connector.name);
    for (const typed::Option& option : connector.options) {
      out.add(option.name);
      if (const auto* parts = std::get_if<typed::Const::Parts>(&option.value.value)) {
        for (const typed::Const& part : *parts) out.add(part.as_text());
      } else {
        out.add(constant_hash(option.value, program_.types->scalar(option.kind)));
      }
    }
    return out.done();
  }

  Hash source_hash(const typed::Source& source) const {
    Hasher out("source");
    out.add(source.name).add(type_hash(source.type)).add(connector_hash(source.connector));
    for (const Arrival& arrival : lineage_.at(source.stream, 0)) out.add(arrival.time).add(arrival.watermark);
    out.add(static_cast<uint64_t>(source.ahead.value_or(-1)));
    std::vector<Value> number{{Hasher("n").done(), std::nullopt}};
    for (const typed::Output& output : source.generated) {
      Scope scope;
      scope.fields = &number;
      out.add(output.name).add(lineage_.hasher().hash(*output.value, scope));
    }
    return out.done();
  }

  bool names_fields(int stream) const {
    int errors = graph_.errors_of[static_cast<size_t>(stream)];
    if (errors >= 0 && graph_.live[static_cast<size_t>(errors)]) return true;
    const auto& consumers = graph_.consumers[static_cast<size_t>(stream)];
    return std::any_of(consumers.begin(), consumers.end(), [](const graph::Consumer& consumer) {
      return consumer.kind == graph::Consumer::Kind::Emit || consumer.kind == graph::Consumer::Kind::Set;
    });
  }

  Hash stream_hash(int index) const {
    auto i = static_cast<size_t>(index);
    const typed::Stream& stream = program_.streams[i];
    int errors = graph_.errors_of[i];
    bool errors_read = errors >= 0 && graph_.live[static_cast<size_t>(errors)] != 0;
    Hasher out("stream");
    out.add(static_cast<uint64_t>(stream.kind)).add(stream.name);
    for (const typed::Input& input : stream.inputs) {
      if (input.stream >= 0) out.add(stream_name(input.stream));
    }
    for (const Arrival& arrival : lineage_.at(index, 0)) out.add(arrival.admission);
    for (size_t s = 0; s < stream.stages.size(); ++s) {
      out.add(stage_hash(stream.stages[s], index, static_cast<int>(s)));
      if (errors_read) out.add(type_hash(stream.stages[s].input));
    }
    for (const graph::Consumer& consumer : graph_.consumers[i]) {
      out.add(static_cast<uint64_t>(consumer.kind)).add(static_cast<uint64_t>(consumer.index));
    }
    if (names_fields(index)) {
      out.add(type_hash(stream.type));
      for (const Arrival& arrival : lineage_.at(index, static_cast<int>(stream.stages.size()))) {
        for (const Value& field : arrival.fields) out.add(field.hash);
      }
    }
    return out.done();
  }

  Hash stage_hash(const typed::Stage& stage, int stream, int index) const {
    Hasher out("stage");
    // A stage that only computes matters by what can fail in it: such an event goes no further.
    if (stage.kind == StageKind::Project) {
      for (const typed::Output& output : stage.outputs) {
        if (graph::can_fail(*output.value)) out.add(lineage_.of(*output.value, stream, index));
      }
    }
    if (stage.stateful()) {
      out.add(stage.name).add(stage.fresh.value_or(0));
      for (const std::string& from : stage.from) out.add(from);
    }
    for (const typed::History& history : stage.histories) {
      out.add(history.call.cell);
      for (const Arrival& arrival : lineage_.at(stream, index)) {
        Scope scope;
        scope.fields = &arrival.fields;
        out.add(lineage_.hasher().history(history, scope));
      }
    }
    if (stage.condition) out.add("where").add(lineage_.of(*stage.condition, stream, index));
    if (stage.list) out.add("flatten").add(lineage_.of(*stage.list, stream, index));
    for (const typed::ExprPtr& key : stage.keys) out.add("key").add(lineage_.of(*key, stream, index));
    if (stage.join) {
      const typed::Join& join = *stage.join;
      out.add("join").add(static_cast<uint64_t>(join.kind)).add(stream_name(join.right)).add(join.name);
      out.add(static_cast<uint64_t>(join.low)).add(static_cast<uint64_t>(join.high));
      for (const typed::ExprPtr& key : join.right_keys) out.add(lineage_.of_right(*key, join.right));
      if (join.condition) out.add(lineage_.of_pair(*join.condition, stream, index));
      if (join.as_of) out.add("as of").add(lineage_.of(*join.as_of, stream, index));
    }
    if (stage.kind == StageKind::Table) {
      out.add("table").add(static_cast<uint64_t>(stage.newest)).add(static_cast<uint64_t>(stage.versioned));
      out.add(static_cast<uint64_t>(stage.ttl.value_or(-1)));
    }
    if (stage.kind == StageKind::Dedupe)
      out.add("dedupe").add(static_cast<uint64_t>(stage.within)).add(static_cast<uint64_t>(stage.most));
    if (stage.hold) {
      out.add("hold")
          .add(static_cast<uint64_t>(stage.hold->kind))
          .add(static_cast<uint64_t>(stage.hold->span));
      out.add(static_cast<uint64_t>(stage.hold->count)).add(static_cast<uint64_t>(stage.hold->ties));
      out.add(static_cast<uint64_t>(stage.window.kind));
      out.add(static_cast<uint64_t>(stage.window.size)).add(static_cast<uint64_t>(stage.window.every));
      out.add(static_cast<uint64_t>(stage.window.offset)).add(stage.window.zone).add(type_hash(stage.input));
      for (const typed::OrderKey& key : stage.hold->order)
        out.add(uint64_t{key.descending}).add(lineage_.of(*key.value, stream, index));
    }
    if (stage.process) {
      out.add("process").add(static_cast<uint64_t>(stage.ttl.value_or(-1)));
      for (const typed::ProcessState& state : stage.process->states) out.add(state.name);
      for (const typed::Field& field : stage.output->fields) out.add(field.name).add(field.type->text);
      for (const Arrival& arrival : lineage_.at(stream, index)) {
        Scope scope;
        scope.fields = &arrival.fields;
        out.add(process_hash(lineage_.hasher(), stage, scope));
      }
    }
    if (stage.match) add_match(stage, stream, index, out);
    if (stage.kind != StageKind::Aggregate) return out.done();
    for (const typed::AggregateCall& call : stage.aggregates) {
      out.add(call.cell).add(static_cast<uint64_t>(call.fn)).add(call.result->text);
      out.add(lineage_.of_call(call, stream, index));
      out.add(std::bit_cast<uint64_t>(call.share)).add(static_cast<uint64_t>(call.most)).add(call.separator);
      if (call.filter) out.add(lineage_.of_condition(*call.filter, stream, index));
    }
    for (const typed::Output& output : stage.outputs) {
      out.add(output.name).add(lineage_.of(*output.value, stream, index));
    }
    const typed::Window& window = stage.window;
    out.add(static_cast<uint64_t>(window.kind)).add(static_cast<uint64_t>(window.size));
    out.add(static_cast<uint64_t>(window.every)).add(static_cast<uint64_t>(window.offset)).add(window.zone);
    out.add(uint64_t{stage.on_update}).add(uint64_t{stage.on_close});
    out.add(static_cast<uint64_t>(stage.trigger_every)).add(static_cast<uint64_t>(stage.late));
    out.add(static_cast<uint64_t>(stage.late_within)).add(static_cast<uint64_t>(stage.ttl.value_or(-1)));
    if (stage.late_stream >= 0) out.add(stream_name(stage.late_stream));
    return out.done();
  }

  void add_match(const typed::Stage& stage, int stream, int index, Hasher& out) const {
    const state::PatternRule rule = graph::pattern_program(*stage.match);
    out.add("match").add(static_cast<uint64_t>(rule.within)).add(static_cast<uint64_t>(rule.limit));
    out.add(uint64_t{rule.next_event}).add(rule.absent).add(rule.looks_back);
    for (const state::PatternStep& step : rule.steps) {
      out.add(static_cast<uint64_t>(step.kind)).add(uint64_t{step.a}).add(uint64_t{step.b}).add(step.names);
    }
    for (const typed::PatternName& name : stage.match->names) {
      out.add("name");
      if (name.condition) out.add(lineage_.of(*name.condition, stream, index));
    }
    for (const typed::AggregateCall& call : stage.aggregates) {
      out.add(static_cast<uint64_t>(call.fn)).add(lineage_.of_call(call, stream, index));
      if (call.filter) out.add("where").add(lineage_.of_condition(*call.filter, stream, index));
      out.add(std::bit_cast<uint64_t>(call.share)).add(static_cast<uint64_t>(call.most)).add(call.separator);
    }
    for (int name : stage.match->measure_names) out.add(static_cast<uint64_t>(name));
    for (const typed::Output& output : stage.outputs)
      out.add(output.name).add(lineage_.of(*output.value, stream, index));
  }

  const FormerNames no_names_;
  const graph::Graph& graph_;
  const typed::Program& program_;
  Lineage lineage_;
};

}  // namespace

Meaning meaning_of(const graph::Graph& graph) { return MeaningHasher(graph).run(); }

}  // namespace mut::change
