// Where sources and sinks really go: elsewhere than the script says, or to a host.
#include <algorithm>

#include "compiler/session/arrow/output.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/host_rows.h"
#include "compiler/session/metrics_source/source.h"
#include "runtime/connector/generate/generate.h"

namespace mut {
namespace {

Failure io(const mut::Error& error) { return {Failure::Kind::Io, error.message}; }

}  // namespace

Outcome<Done> Engine::bind(const std::string& name, const std::string& target) {
  std::string plain = name.substr(name.find(':') == std::string::npos ? 0 : name.find(':') + 1);
  bool source = State::find_source(*state_->program, plain) != nullptr && !name.starts_with("sink:");
  bool sink = !name.starts_with("source:") &&
              std::any_of(state_->program->typed->emits.begin(), state_->program->typed->emits.end(),
                          [&](const auto& emit) { return emit.name == plain; });
  if (!source && !sink) return Failure{Failure::Kind::Usage, "no source or sink is called `" + plain + "`"};
  if (source && sink && plain == name) {
    return Failure{Failure::Kind::Usage, "`" + name + "` is a source and a sink; write `source:" + name +
                                             "` or `sink:" + name + "`"};
  }
  auto parsed = session::parse_target(target);
  if (!parsed) return Failure{Failure::Kind::Usage, parsed.error().message};
  state_->bindings[name] = parsed.value();
  if (source) state_->stop_generating(plain);
  return Done{};
}

Outcome<Done> Engine::bind_host_source(const std::string& name) {
  if (State::find_source(*state_->program, name) == nullptr)
    return Failure{Failure::Kind::Usage, "no source is called `" + name + "`"};
  state_->host_sources[name];
  state_->stop_generating(name);
  return Done{};
}

Outcome<Done> Engine::bind_columns(const std::string& name, ColumnSource columns) {
  const typed::Source* source = State::find_source(*state_->program, name);
  if (source == nullptr) return Failure{Failure::Kind::Usage, "no source is called `" + name + "`"};
  if (columns.columns.size() != source->type->fields.size() || columns.times.size() != columns.row_count) {
    return Failure{Failure::Kind::Usage, "source `" + name + "` has " +
                                             std::to_string(source->type->fields.size()) +
                                             " fields and one time a row"};
  }
  for (const typed::Field& field : source->type->fields) {
    if (graph::describe(field.type)->size != 8)
      return Failure{Failure::Kind::Usage, "field `" + field.name + "` is no 8-byte number"};
  }
  connector::ReplayedColumns replayed;
  replayed.columns = std::move(columns.columns);
  replayed.times = std::move(columns.times);
  replayed.row_count = columns.row_count;
  replayed.repeat = columns.repeat;
  replayed.time_step_ns = columns.time_step_ns;
  state_->host_sources[name].columns = std::move(replayed);
  state_->stop_generating(name);
  return Done{};
}

Outcome<Done> Engine::bind_text(const std::string& name, std::string_view text) {
  if (State::find_source(*state_->program, name) == nullptr)
    return Failure{Failure::Kind::Usage, "no source is called `" + name + "`"};
  state_->host_sources[name].borrowed_text = text;
  state_->stop_generating(name);
  return Done{};
}

Outcome<Done> Engine::State::bind_sink(const std::string& to, HostSink bound) {
  const auto& emits = program->typed->emits;
  bool is_sink = std::any_of(emits.begin(), emits.end(), [&](const auto& each) { return each.name == to; });
  // A tap may be of a stream that a later version brings.
  bool is_tap = std::any_of(options.taps.begin(), options.taps.end(),
                            [&](const std::string& of) { return to == "tap:" + of; });
  if (!is_sink && !is_tap) return Failure{Failure::Kind::Usage, "no sink is called `" + to + "`"};
  if (!bound.rows && !bound.batches && !bound.lines && !bound.arrow)
    return Failure{Failure::Kind::Usage, "sink `" + to + "` is to call no function"};
  std::lock_guard lock(host_mutex);
  host_sinks[to] = std::move(bound);
  return Done{};
}

Outcome<Done> Engine::bind_host_sink(const std::string& name, std::function<void(const RowView&)> receive) {
  return state_->bind_sink(name, {.rows = std::move(receive)});
}

Outcome<Done> Engine::bind_batch_sink(const std::string& name, std::function<void(const RowBatch&)> receive) {
  return state_->bind_sink(name, {.batches = std::move(receive)});
}

Outcome<Done> Engine::bind_text_sink(const std::string& name, std::function<void(std::string_view)> receive) {
  return state_->bind_sink(name, {.lines = std::move(receive)});
}

Outcome<Done> Engine::bind_arrow_sink(const std::string& name,
                                      std::function<void(ArrowArray&, ArrowSchema&)> receive) {
  return state_->bind_sink(name, {.arrow = std::move(receive)});
}

session::Surroundings Engine::State::surroundings() const {
  session::Surroundings out{*env, wake.get(), messages};
  using Phase = connector::CheckpointedRun::Phase;
  if (checkpoints)
    out.run = {std::to_string(runner->seed()), checkpoints->figures().number,
               started ? Phase::Running : Phase::Start};
  return out;
}

Outcome<std::unique_ptr<connector::SourceReader>> Engine::State::open_source(const session::Program& made,
                                                                             size_t index) {
  const typed::Source& source = made.typed->sources[index];
  const runtime::SourcePlan& plan = made.plan->sources[index];
  std::unique_lock lock(host_mutex);
  auto host = host_sources.find(source.name);
  if (host == host_sources.end() && closed()) {
    host = host_sources.try_emplace(source.name).first;
    host->second.text = std::make_shared<connector::PieceQueue>(wake.get());
  }
  if (host == host_sources.end() && plan.generates) {
    const runtime::GenerateSpec& spec = plan.generate;
    auto rate = std::make_shared<std::atomic<double>>(spec.rate);
    rates[source.name] = rate;
    return connector::make_generator(*env, {spec.count, spec.step_ns, spec.start_ns, std::move(rate)});
  }
  bool bound = session::find_binding(bindings, "source", source.name) != nullptr;
  if (host == host_sources.end() && plan.own_metrics && !bound) {
    session::MetricsSourceOptions own{source.connector.find("every")->value.as_int(),
                                      [this] { return steady(); },
                                      [this, of = source.name] { return metrics_row(of); }};
    return session::make_metrics_source(*env, std::move(own), plan.record,
                                        session::decode_options(source.connector, plan));
  }
  if (host == host_sources.end()) {
    lock.unlock();
    auto opened = session::open_source(surroundings(), source, plan, bindings, decode_threads);
    if (!opened) return io(opened.error());
    return std::move(opened).value();
  }
  if (host->second.borrowed_text) {
    std::string_view text = *std::exchange(host->second.borrowed_text, std::nullopt);
    return connector::make_borrowed_text_source(*env, text, source.name, session::source_format(source),
                                                session::decode_options(source.connector, plan), plan.record);
  }
  if (host->second.columns) return connector::make_column_source(std::move(*host->second.columns));
  if (host->second.text) {
    return connector::make_piece_source(
        host->second.text, [this] { return now(); }, session::decode_options(source.connector, plan),
        plan.record);
  }
  if (!host->second.rows) host->second.rows = std::make_shared<connector::RowQueue>(plan.record, wake.get());
  return connector::make_row_source(host->second.rows);
}

Outcome<runtime::OutletBinding> Engine::State::open_sink(const session::Program& made, size_t index,
                                                         std::string& notices) {
  std::map<std::string, HostSink> of_host;
  {
    std::lock_guard lock(host_mutex);
    of_host = host_sinks;
  }
  const typed::Emit& emit = made.typed->emits[index];
  auto host = of_host.find(emit.name);
  runtime::OutletBinding binding;
  binding.sink = emit.name;
  binding.target = "host:" + emit.name;
  if (emit.name.starts_with("tap:tap:")) {
    binding.use = runtime::OutletBinding::Use::Look;
    std::lock_guard lock(mutex);
    for (const auto& tap : taps) {
      if ("tap:" + tap->stream().name != emit.name) continue;
      binding.host = [this, tap](const abi::TypeDesc& record, const char* rows, uint64_t count,
                                 uint64_t stride) {
        tap->receive(record, rows, count, stride, runner->version());
      };
    }
    return binding;
  }
  if (host == of_host.end() && (closed() || emit.name.starts_with("tap:"))) return binding;
  if (host != of_host.end() && host->second.lines) {
    binding.writer = std::make_shared<HostLines>(host->second.lines);
    return binding;
  }
  if (host != of_host.end() && host->second.arrow) {
    binding.host = [receive = host->second.arrow](const abi::TypeDesc& record, const char* rows,
                                                  uint64_t count, uint64_t stride) {
      ArrowArray array;
      ArrowSchema schema;
      session::write_arrow(record, rows, count, stride, array, schema);
      receive(array, schema);
      if (array.release != nullptr) array.release(&array);
      if (schema.release != nullptr) schema.release(&schema);
    };
    return binding;
  }
  if (host != of_host.end() && host->second.batches) {
    binding.host = [receive = host->second.batches](const abi::TypeDesc& record, const char* rows,
                                                    uint64_t count, uint64_t stride) {
      receive(MemoryRows(record, rows, count, stride));
    };
    return binding;
  }
  if (host != of_host.end()) {
    binding.host = [receive = host->second.rows](const abi::TypeDesc& record, const char* rows,
                                                 uint64_t count, uint64_t stride) {
      for (uint64_t i = 0; i < count; ++i) receive(MemoryRow(record, rows + i * stride));
    };
    return binding;
  }
  // One after the other; who opens may wait for the world, and nobody else for that.
  std::lock_guard opening(opening_mutex);
  std::vector<session::KnownSink> known;
  {
    std::lock_guard lock(sinks_mutex);
    known = known_sinks;
  }
  const size_t before = known.size();
  auto opened = session::open_sink(surroundings(), emit, bindings, known, notices);
  if (!opened) return io(opened.error());
  if (known.size() > before) {
    std::lock_guard lock(sinks_mutex);
    known_sinks.push_back(known.back());
  }
  return std::move(opened).value();
}

}  // namespace mut
