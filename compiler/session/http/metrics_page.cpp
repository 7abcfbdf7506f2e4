#include "compiler/session/http/metrics_page.h"

#include "mutstream/tooling.h"

namespace mut::session {
namespace {

using Kind = MetricFamily::Kind;
using Together = MetricFamily::Together;

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }
double count(uint64_t number) { return static_cast<double>(number); }

// "0.1.0" of "mutc 0.1.0, edition 1, LLVM 19".
std::string_view version_part(std::string_view before) {
  std::string_view text = version_text();
  size_t at = text.find(before);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find(','));
}

void add_health(const MetricsPage& page, MetricsText& out) {
  out.begin({Kind::Info, "mutstream_build", "", "What this program is."});
  out.add({{"version", version_part("mutc ")},
           {"edition", version_part("edition ")},
           {"llvm", version_part("LLVM ")}},
          1);
  out.begin({Kind::Gauge, "mutstream_start_time_seconds", "seconds",
             "When this port was opened, since 1970, UTC."});
  out.add({}, seconds(page.started_ns));
  out.begin({Kind::Gauge, "mutstream_ready", "", "1 while /readyz says so, else 0."});
  out.add({}, why_not_ready(page.health).empty() ? 1 : 0);
  out.begin({Kind::Gauge, "mutstream_batch_running_seconds", "seconds",
             "How long the batch that runs now has taken so far; 0: none runs."});
  out.add({}, seconds(page.health.busy_ns));
  out.begin({Kind::Gauge, "mutstream_connector_connected", "",
             "1 while a source or sink that connects has its connection, else 0."});
  for (const ConnectionFigures& one : page.health.connections)
    out.add({{"side", one.side}, {"name", one.name}}, one.connected ? 1 : 0);
  out.begin({Kind::Counter, "mutstream_connector_reconnects", "",
             "How often a connection that was lost was made again."});
  for (const ConnectionFigures& one : page.health.connections)
    out.add({{"side", one.side}, {"name", one.name}}, count(one.made_again));
}

void add_records(const EngineFigures& figures, MetricsText& out) {
  out.begin({Kind::Counter, "mutstream_records_in", "",
             "Records that a source has given, undecodable ones included."});
  for (const SourceFigures& source : figures.sources)
    out.add({{"source", source.name}}, count(source.records));
  out.begin({Kind::Counter, "mutstream_records_out", "", "Rows that went to a sink."});
  for (const SinkFigures& sink : figures.sinks)
    out.add({{"sink", sink.name}, {"stream", sink.stream}}, count(sink.rows));
  out.begin({Kind::Counter, "mutstream_records_filtered", "", "Rows that a stage which chooses has let go."});
  for (const auto& [stage, rows] : figures.dropped) out.add({{"stage", stage}}, count(rows));
  out.begin({Kind::Counter, "mutstream_records_dead_lettered", "",
             "Events that failed in a stream, or could not be decoded: rows of its .errors."});
  for (const StreamFigures& stream : figures.streams) {
    if (stream.live || stream.errors > 0) out.add({{"stream", stream.name}}, count(stream.errors));
  }
  out.begin({Kind::Counter, "mutstream_records_late", "", "Events that came too late for a stage."});
  for (const StoreFigures& store : figures.stores) out.add({{"stage", store.path}}, count(store.late));
}

void add_flow(const EngineFigures& figures, MetricsText& out) {
  out.begin({Kind::Gauge, "mutstream_watermark_lag_seconds", "seconds",
             "How far the watermark of a stream is behind the clock.", Together::Most});
  for (const StreamFigures& stream : figures.streams) {
    if (stream.watermark_ns)
      out.add({{"stream", stream.name}}, seconds(figures.now_ns) - seconds(*stream.watermark_ns));
  }
  out.begin({Kind::Gauge, "mutstream_queue_bytes", "bytes",
             "Text that was received and is not decoded, or was made and is not taken."});
  for (const SourceFigures& source : figures.sources)
    out.add({{"side", "source"}, {"name", source.name}}, count(source.waiting_bytes));
  for (const SinkFigures& sink : figures.sinks)
    out.add({{"side", "sink"}, {"name", sink.name}}, count(sink.waiting_bytes));
  out.begin({Kind::Counter, "mutstream_backpressure_seconds", "seconds",
             "How long no rows were run because what a sink writes was not taken."});
  for (const SinkFigures& sink : figures.sinks) out.add({{"sink", sink.name}}, seconds(sink.held_up_ns));
  out.begin({Kind::Gauge, "mutstream_sink_out_of_space", "",
             "1 while rows of a sink wait for a disk that is full, else 0."});
  for (const SinkFigures& sink : figures.sinks) out.add({{"sink", sink.name}}, sink.out_of_space ? 1 : 0);
  out.add_histogram("mutstream_batch_seconds", "How long batches took.", figures.batches);
  out.begin({Kind::Counter, "mutstream_shard_worked_seconds", "seconds",
             "How long each of several shards has run rows."});
  for (size_t i = 0; i < figures.shards_worked_ns.size(); ++i)
    out.add({{"shard", std::to_string(i)}}, seconds(figures.shards_worked_ns[i]));
}

void add_state(const EngineFigures& figures, MetricsText& out) {
  out.begin({Kind::Gauge, "mutstream_state_bytes", "bytes", "State of the whole program."});
  out.add({}, count(figures.state_bytes));
  out.begin({Kind::Gauge, "mutstream_state_limit_bytes", "bytes", "What --memory and --spill allow."});
  out.add({}, count(figures.state_bytes_max));
  out.begin({Kind::Gauge, "mutstream_state_spilled_bytes", "bytes",
             "Of the state: what lies on the disk of --spill."});
  out.add({}, count(figures.spilled_bytes));
  out.begin({Kind::Gauge, "mutstream_state_keys", "", "Entries that a stage keeps."});
  for (const StoreFigures& store : figures.stores) out.add({{"stage", store.path}}, count(store.entries));
  out.begin({Kind::Counter, "mutstream_checkpoints", "",
             "Checkpoints of this run, by whether they are on the disk or were given up."});
  out.add({{"result", "durable"}}, count(figures.checkpoints_durable));
  out.add({{"result", "abandoned"}}, count(figures.checkpoints_abandoned));
}

void add_edits(const EngineFigures& figures, MetricsText& out) {
  out.begin({Kind::Info, "mutstream_program", "", "The script that runs, and how it is compiled."});
  out.add({{"script", figures.script}, {"tier", figures.tier}}, 1);
  out.begin({Kind::Gauge, "mutstream_program_version", "", "The version that runs."});
  out.add({}, count(figures.version));
  out.begin({Kind::Counter, "mutstream_swap", "", "Edits that were offered, by what became of them."});
  // Those are always there, so that the first one is an increase.
  for (std::string_view result : {"taken", "equivalent", "failed", "refused", "needs-decision", "superseded",
                                  "aborted", "rolled-back"}) {
    out.add({{"result", result}}, 0);
  }
  for (const auto& [result, edits] : figures.edits) out.add({{"result", result}}, count(edits));
  out.begin({Kind::Gauge, "mutstream_swap_pending_seconds", "seconds",
             "How long the oldest edit that waits for its cut has waited; 0: none waits."});
  out.add({}, seconds(figures.edit_waits_ns.value_or(0)));
  out.add_histogram("mutstream_swap_check_seconds",
                    "Of edits that were taken: how long they were checked and planned.", figures.edit_checks);
  out.add_histogram("mutstream_swap_compile_seconds",
                    "Of edits that were taken: how long they were compiled.", figures.edit_compiles);
  out.add_histogram("mutstream_swap_publish_seconds",
                    "Of edits that were taken: how long rows stood still at the cut.", figures.edit_pauses);
  out.begin({Kind::Gauge, "mutstream_kernel_versions_live", "",
             "Versions whose code is in memory: the one that runs, and those that wait to be let go of."});
  out.add({}, count(figures.live_versions));
  out.begin({Kind::Gauge, "mutstream_taps", "", "Taps that look at rows."});
  out.add({}, count(figures.taps));
}

}  // namespace

std::string why_not_live(const Health& health) {
  if (health.phase != Health::Phase::Running || health.busy_ns < stuck_ns) return "";
  return "rows stand still: one batch has taken " + std::to_string(health.busy_ns / 1'000'000'000) +
         " s so far; the program that reads an output may take nothing, or a stage computes for very long";
}

std::string why_not_ready(const Health& health) {
  switch (health.phase) {
    case Health::Phase::Starting:
      return "the program starts: it is compiled, and its sources and sinks are opened";
    case Health::Phase::Running:
      break;
    case Health::Phase::Draining:
      return "the program drains: it takes no more input, and writes what it has made";
    case Health::Phase::Ended:
      return "the program has ended";
  }
  std::string out = why_not_live(health);
  for (const ConnectionFigures& one : health.connections) {
    if (one.connected) continue;
    out += (out.empty() ? "" : "; ") + one.side + " `" + one.name + "` is not connected: " + one.why;
  }
  return out;
}

std::string metrics_text(const MetricsPage& page, MetricsForm form) {
  MetricsText out(form);
  add_health(page, out);
  if (page.figures) {
    add_records(*page.figures, out);
    add_flow(*page.figures, out);
    add_state(*page.figures, out);
    add_edits(*page.figures, out);
  }
  return out.take();
}

}  // namespace mut::session
