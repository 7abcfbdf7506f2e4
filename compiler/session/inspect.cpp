// Figures of a running engine, taken between two batches.
#include <algorithm>
#include <set>

#include "compiler/session/clocks.h"
#include "compiler/session/engine_state.h"
#include "compiler/session/key_state.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/text/time.h"

namespace mut {
namespace {

using Reads = SourceFigures::Reads;

bool is_tap(std::string_view name) { return name.starts_with("tap:"); }

std::optional<int64_t> as_time(int64_t watermark) {
  if (watermark == runtime::no_watermark || watermark == state::never) return std::nullopt;
  return watermark;
}

std::string_view kind_name(state::StoreKind kind) {
  constexpr std::string_view names[] = {"groups", "windows", "sessions", "window all",  "history",
                                        "dedupe", "join",    "windows",  "held rows",   "pattern",
                                        "table",  "counts",  "process",  "table groups"};
  return names[static_cast<size_t>(kind)];
}

SourceFigures source_figures(const runtime::FeedState& feed, const runtime::SourcePlan& plan,
                             int64_t watermark) {
  SourceFigures out;
  out.name = feed.name;
  out.records = feed.records;
  out.waiting_bytes = feed.waiting_bytes;
  out.reads = static_cast<Reads>(feed.reads);
  out.watermark_ns = as_time(watermark);
  if (out.watermark_ns) out.newest_ns = runtime::later(watermark, plan.lateness);
  return out;
}

SinkFigures sink_figures(const runtime::EmitPlan& emit, const runtime::OutletBinding& binding,
                         int64_t steady_ns) {
  SinkFigures out{emit.name, emit.stream, binding.rows};
  if (binding.writer) {
    out.waiting_bytes = binding.writer->waiting_bytes();
    out.out_of_space = binding.writer->is_out_of_space();
  }
  out.held_up_ns = binding.held_up_ns;
  if (binding.full_since_ns) out.held_up_ns += steady_ns - *binding.full_since_ns;
  return out;
}

// The source with the least watermark of those that a clock looks at; empty where none is behind.
std::string held_by(const runtime::Clock& clock, const runtime::Instance& instance) {
  std::string out;
  int64_t least = state::never;
  const std::vector<runtime::SourcePlan>& sources = instance.plan().sources;
  for (size_t i = 0; i < sources.size(); ++i) {
    if ((clock.mask >> i & 1U) == 0) continue;
    int64_t at = runtime::earlier(instance.watermarks[i], clock.delay(i));
    if (at >= least) continue;
    least = at;
    out = sources[i].name;
  }
  return out;
}

void add_streams(const session::Program& program, const runtime::Instance& instance,
                 const runtime::ErrorLog& errors, EngineFigures& out) {
  const std::vector<typed::Stream>& streams = program.typed->streams;
  session::Clocks clocks = session::clocks_of(*program.graph);
  for (size_t i = 0; i < streams.size(); ++i) {
    if (is_tap(streams[i].name)) continue;
    StreamFigures stream;
    stream.name = streams[i].name;
    stream.live = program.graph->live[i] != 0;
    if (stream.live) {
      stream.watermark_ns = as_time(instance.watermark_of(clocks.after[i]));
      stream.held_by = held_by(clocks.after[i], instance);
    }
    if (auto count = errors.counts().find(stream.name); count != errors.counts().end())
      stream.errors = count->second;
    for (const typed::Field& field : streams[i].type->fields)
      stream.fields.emplace_back(field.name, field.type->text);
    out.streams.push_back(std::move(stream));
  }
}

void add_params(const session::Program& program, runtime::Instance& instance, EngineFigures& out) {
  const auto* values = static_cast<const char*>(instance.context().params);
  const std::vector<abi::FieldDesc>& fields = program.plan->param_record->fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    text::Buffer value;
    json::append_value(values + fields[i].offset, *fields[i].type, value);
    out.params.push_back({fields[i].name, program.typed->params[i].type->text, std::string(value.view())});
  }
}

// What the canary keeps, beside what is kept for the other keys.
void add_canary_stores(const runtime::Canary& canary, const session::Program& program, EngineFigures& out) {
  const runtime::Fleet& fleet = canary.fleet();
  for (size_t i = 0; i < fleet.plan().stores.size(); ++i) {
    const state::StoreDesc& desc = fleet.instance(0).store(i).desc();
    StoreFigures own{desc.path,
                     program.typed->streams[static_cast<size_t>(program.graph->stores[i].stream)].name,
                     std::string(kind_name(desc.kind)),
                     fleet.entry_count(i),
                     fleet.late_count(i),
                     as_time(fleet.due(i))};
    auto known = std::find_if(out.stores.begin(), out.stores.end(),
                              [&](const StoreFigures& other) { return other.path == own.path; });
    if (known == out.stores.end()) {
      out.stores.push_back(std::move(own));
      continue;
    }
    known->entries += own.entries;
    known->late += own.late;
    if (!known->due_ns || (own.due_ns && *own.due_ns < *known->due_ns)) known->due_ns = own.due_ns;
  }
}

std::string time_text(int64_t time_ns) {
  char text[text::time_bytes_max];
  return {text, text::format_time(time_ns, text)};
}

// Streams above `stream` that it comes from, itself included, by index.
std::set<int> streams_above(const typed::Program& program, int stream) {
  std::set<int> out;
  std::vector<int> open{stream};
  while (!open.empty()) {
    int at = open.back();
    open.pop_back();
    if (at < 0 || !out.insert(at).second) continue;
    const typed::Stream& of = program.streams[static_cast<size_t>(at)];
    for (const typed::Input& input : of.inputs) open.push_back(input.stream);
    for (const typed::Stage& stage : of.stages) {
      if (stage.join) open.push_back(stage.join->right);
    }
  }
  return out;
}

std::string_view reads_text(Reads reads) {
  constexpr std::string_view texts[] = {"not read: no sink or tap needs it", "waits for input", "gives rows",
                                        "has ended"};
  return texts[static_cast<size_t>(reads)];
}

void explain_source(const SourceFigures& source, int64_t now_ns, std::string& out) {
  out += "  source " + source.name + ": " + std::string(reads_text(source.reads)) + ", " +
         std::to_string(source.records) + (source.records == 1 ? " record" : " records");
  if (source.newest_ns) {
    out +=
        "; newest event " + time_text(*source.newest_ns) + ", watermark " + time_text(*source.watermark_ns);
    if (*source.newest_ns < now_ns) {
      char behind[text::duration_bytes_max];
      int64_t whole = (now_ns - *source.newest_ns) / 1'000'000'000 * 1'000'000'000;
      out += " (" + std::string(behind, text::format_duration(whole, behind)) + " behind the clock)";
    }
  } else if (source.records == 0 && source.reads != Reads::Nothing) {
    out += "; no event yet, so no watermark";
  }
  out += "\n";
}

void explain_store(const StoreFigures& store, const StreamFigures& stream, std::string& out) {
  out += "  state " + store.path + ": " + store.kind + ", " + std::to_string(store.entries) +
         (store.entries == 1 ? " entry" : " entries");
  if (store.late > 0) out += ", " + std::to_string(store.late) + " late";
  if (store.due_ns) {
    out += "; next result when the watermark reaches " + time_text(*store.due_ns);
    if (!stream.held_by.empty()) out += ", which `" + stream.held_by + "` holds back";
  }
  out += "\n";
}

}  // namespace

void Engine::fill_figures(EngineFigures& out) const {
  const State& s = *state_;
  if (!s.runner) return;
  runtime::Instance& instance = s.runner->fleet().instance(0);
  std::shared_ptr<session::Program> program;
  std::shared_ptr<session::CanaryRun> canary_run;
  {
    std::lock_guard lock(s.mutex);
    program = s.program;
    canary_run = s.canary_run;
    out.taps = program->taps.size();
  }
  const EngineStats stats = this->stats();
  out.version = stats.version;
  out.script = program->name();
  out.tier = stats.tier;
  out.now_ns = state_->now();
  out.records_in = stats.records_in;
  out.late = stats.late;
  out.live_versions = stats.live_versions;
  out.batches = s.batch_times;
  out.edit_checks = s.edit_checks;
  out.edit_compiles = s.edit_compiles;
  out.edit_pauses = s.edit_pauses;
  out.edits = s.history.counts();
  if (auto offered_ns = s.history.oldest_waiting_ns())
    out.edit_waits_ns = std::max<int64_t>(s.env->wall_ns() - *offered_ns, 0);
  out.swaps = stats.swaps;
  out.state_bytes = stats.state_bytes;
  out.shards_worked_ns = s.runner->fleet().worked_ns();
  out.state_bytes_max = s.runner->budget().limit();
  out.spilled_bytes = stats.spilled_bytes;
  if (s.checkpoints) {
    out.checkpoints_durable = s.checkpoints->figures().durable;
    out.checkpoints_abandoned = s.checkpoints->figures().abandoned;
  }
  out.event_errors = stats.event_errors;
  std::vector<runtime::FeedState> feeds = s.runner->feeds().states();
  for (size_t i = 0; i < feeds.size(); ++i)
    out.sources.push_back(source_figures(feeds[i], instance.plan().sources[i], instance.watermarks[i]));
  add_streams(*program, instance, s.runner->errors(), out);
  for (size_t i = 0; i < instance.store_count(); ++i) {
    state::Store& store = instance.store(i);
    const typed::Stream& stream =
        program->typed->streams[static_cast<size_t>(program->graph->stores[i].stream)];
    if (is_tap(stream.name)) continue;
    out.stores.push_back({store.desc().path, stream.name, std::string(kind_name(store.desc().kind)),
                          s.runner->gathered_fleet().entry_count(i), s.runner->fleet().late_count(i),
                          as_time(s.runner->fleet().due(i)), s.runner->fleet().entries_by_shard(i)});
  }
  if (const runtime::Canary* canary = s.runner->canary())
    add_canary_stores(*canary, *canary_run->program, out);
  for (const runtime::EmitPlan& emit : instance.plan().emits) {
    const runtime::OutletBinding* binding = s.runner->outlets().find(emit.name);
    if (binding == nullptr || is_tap(emit.stream)) continue;
    out.sinks.push_back(sink_figures(emit, *binding, s.env->monotonic_ns()));
  }
  out.rows_out = stats.rows_out;
  add_params(*program, instance, out);
  for (const auto& drop : stats.dropped_by_stage) {
    if (!is_tap(drop.first)) out.dropped.push_back(drop);
  }
}

EngineFigures Engine::inspect() const {
  EngineFigures out;
  state_->turn.ask([&] { fill_figures(out); });
  return out;
}

Outcome<std::string> Engine::why(const std::string& stream) const {
  EngineFigures figures = inspect();
  std::shared_ptr<session::Program> program = state_->running_program();
  int index = program->typed->find_stream(stream);
  auto of = std::find_if(figures.streams.begin(), figures.streams.end(),
                         [&](const StreamFigures& other) { return other.name == stream; });
  if (index < 0 || of == figures.streams.end())
    return Failure{Failure::Kind::Usage, "no stream is called `" + stream + "`"};
  std::string out = stream + " in v" + std::to_string(figures.version) + ":\n";
  if (!of->live) {
    return out + "  nothing runs it: no sink and no tap depends on it; write `emit " + stream +
           " to stdout()`, or tap it\n";
  }
  std::set<int> above = streams_above(*program->typed, index);
  for (const SourceFigures& source : figures.sources) {
    if (above.contains(program->typed->find_stream(source.name))) explain_source(source, figures.now_ns, out);
  }
  for (int at : above) {
    const std::string& name = program->typed->streams[static_cast<size_t>(at)].name;
    for (const auto& [stage, count] : figures.dropped) {
      if (stage.starts_with(name + "/"))
        out += "  " + stage.substr(0, stage.rfind('#')) + " has dropped " + std::to_string(count) + "\n";
    }
    for (const StreamFigures& other : figures.streams) {
      if (other.name == name && other.errors > 0) {
        out +=
            "  " + name + ": " + std::to_string(other.errors) + " events failed; see `" + name + ".errors`\n";
      }
    }
    for (const StoreFigures& store : figures.stores) {
      if (store.stream == name) explain_store(store, *of, out);
    }
  }
  if (of->watermark_ns) {
    out += "  watermark here " + time_text(*of->watermark_ns);
    if (!of->held_by.empty()) out += ", by source `" + of->held_by + "`";
    out += "\n";
  } else if (!of->held_by.empty()) {
    out += "  no watermark here before the first event of source `" + of->held_by + "`\n";
  } else {
    out += "  all sources above have ended\n";
  }
  for (const SinkFigures& sink : figures.sinks) {
    if (sink.stream == stream) out += "  sink " + sink.name + ": " + std::to_string(sink.rows) + " rows\n";
  }
  return out;
}

namespace {

// Of the stage of that name, which may not be there.
Result<std::string> state_of_canary(const runtime::Canary& canary, const std::string& path,
                                    const std::string& key) {
  runtime::Instance& instance = canary.fleet().instance(0);
  for (size_t i = 0; i < instance.store_count(); ++i) {
    if (instance.store(i).desc().path == path) return session::key_state(instance.store(i), key);
  }
  return std::string("null");
}

}  // namespace

Outcome<std::string> Engine::state(const std::string& stream, const std::string& key) const {
  const State& s = *state_;
  Outcome<std::string> out = Failure{Failure::Kind::Usage, "the engine was not started"};
  s.turn.ask([&] {
    if (!s.runner) return;
    std::shared_ptr<session::Program> program = state_->running_program();
    int index = program->typed->find_stream(stream);
    if (index < 0) {
      out = Failure{Failure::Kind::Usage, "no stream is called `" + stream + "`"};
      return;
    }
    std::string text = "{";
    for (size_t i = 0; i < s.runner->plan().stores.size(); ++i) {
      if (program->graph->stores[i].stream != index) continue;
      auto cells = session::key_state(s.runner->gathered_fleet().instance(0).store(i), key);
      // A key is in one of the shards.
      for (size_t shard = 1; shard < s.runner->fleet().size() && cells && cells.value() == "null"; ++shard)
        cells = session::key_state(s.runner->gathered_fleet().instance(shard).store(i), key);
      if (const runtime::Canary* canary = s.runner->canary();
          canary != nullptr && cells && cells.value() == "null")
        cells = state_of_canary(*canary, s.runner->fleet().instance(0).store(i).desc().path, key);
      if (!cells) {
        out = Failure{Failure::Kind::Usage, cells.error().message};
        return;
      }
      text::Buffer path;
      json::append_string(s.runner->fleet().instance(0).store(i).desc().path, path);
      text += (text.size() > 1 ? "," : "") + std::string(path.view()) + ":" + cells.value();
    }
    if (text.size() == 1) {
      out = Failure{Failure::Kind::Usage, "stream `" + stream + "` keeps no state"};
      return;
    }
    out = text + "}";
  });
  return out;
}

}  // namespace mut
