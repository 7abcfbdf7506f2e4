#include "compiler/session/control/replies.h"

#include <fmt/format.h>

#include <cmath>

#include "mutstream/json.h"

namespace mut::session {
namespace {

std::string number_or_null(const std::optional<int64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_quoted(text); }

// JSON knows no number that is none.
double finite(double number) { return std::isfinite(number) ? number : 0; }

std::string_view reads_name(SourceFigures::Reads reads) {
  constexpr std::string_view names[] = {"nothing", "waiting", "rows", "ended"};
  return names[static_cast<size_t>(reads)];
}

}  // namespace

std::string texts_json(const std::vector<std::string>& texts) {
  return json_list(texts, [](const std::string& text) { return json_quoted(text); });
}

std::string cells_json(const std::vector<CellVerdict>& cells) {
  return json_list(cells, [](const CellVerdict& cell) {
    return fmt::format(
        R"({{"cell":{},"before":{},"verdict":{},"reason":{},"choices":{},"decision":{},"undecided":{}}})",
        json_quoted(cell.cell), text_or_null(cell.before), json_quoted(cell.verdict),
        json_quoted(cell.reason), texts_json(cell.choices), text_or_null(cell.decision), cell.undecided);
  });
}

std::string cuts_json(const std::vector<SourceCut>& cuts) {
  return json_list(cuts, [](const SourceCut& cut) {
    return fmt::format(R"({{"source":{},"records":{}}})", json_quoted(cut.source), cut.records);
  });
}

std::string report_json(const SwapReport& report, Taken taken) {
  return fmt::format(
      R"(,"taken":{},"version":{},"superseded_by":{},"plan":{},"cells":{},"warnings":{},"cut":{},"check_ns":{},)"
      R"("compile_ns":{},"pause_ns":{},"compiled":{},"entries_converted":{})",
      taken == Taken::Yes, report.version, report.superseded_by, json_quoted(report.plan),
      cells_json(report.cells), json_quoted(report.warnings), cuts_json(report.cut), report.check_ns,
      report.compile_ns, report.pause_ns, report.compiled, report.entries_converted);
}

std::string records_json(const std::vector<VersionRecord>& records, RecordText text) {
  return json_list(records, [&](const VersionRecord& record) {
    std::string accepted = json_list(record.accepted, [](const Consent& consent) {
      return json_quoted(consent.verdict + ":" + consent.cell);
    });
    std::string params = json_list(record.params, [](const auto& param) {
      return fmt::format(R"({{"name":{},"value":{}}})", json_quoted(param.first), json_quoted(param.second));
    });
    std::string out = fmt::format(
        R"({{"version":{},"parent":{},"restores":{},"hash":"{}","time_ns":{},"name":{},"outcome":"{}",)"
        R"("shadow":{},"reason":{},"plan":{},"accepted":{},"params":{},"cut":{},"check_ns":{},"compile_ns":{},)"
        R"("pause_ns":{},"entries_converted":{})",
        record.version, record.parent, record.restores, record.hash, record.time_ns, json_quoted(record.name),
        outcome_name(record.outcome), text_or_null(record.shadow), text_or_null(record.reason),
        json_quoted(record.plan), accepted, params, cuts_json(record.cut), record.check_ns, record.compile_ns,
        record.pause_ns, record.entries_converted);
    if (text == RecordText::With) out += ",\"text\":" + json_quoted(record.text);
    return out + "}";
  });
}

std::string figures_json(const EngineFigures& figures) {
  std::string out = fmt::format(
      R"("version":{},"script":{},"tier":{},"now_ns":{},"records_in":{},"rows_out":{},"event_errors":{},)"
      R"("late":{},"swaps":{},"state_bytes":{},"state_bytes_max":{},"spilled_bytes":{},"taps":{})",
      figures.version, json_quoted(figures.script), json_quoted(figures.tier), figures.now_ns,
      figures.records_in, figures.rows_out, figures.event_errors, figures.late, figures.swaps,
      figures.state_bytes, figures.state_bytes_max, figures.spilled_bytes, figures.taps);
  out += ",\"shards_worked_ns\":" +
         json_list(figures.shards_worked_ns, [](int64_t worked) { return std::to_string(worked); });
  out += ",\"sources\":" + json_list(figures.sources, [](const SourceFigures& source) {
           return fmt::format(R"({{"name":{},"records":{},"reads":"{}","newest_ns":{},"watermark_ns":{}}})",
                              json_quoted(source.name), source.records, reads_name(source.reads),
                              number_or_null(source.newest_ns), number_or_null(source.watermark_ns));
         });
  out += ",\"streams\":" + json_list(figures.streams, [](const StreamFigures& stream) {
           std::string fields = json_list(stream.fields, [](const auto& field) {
             return fmt::format(R"({{"name":{},"type":{}}})", json_quoted(field.first),
                                json_quoted(field.second));
           });
           return fmt::format(
               R"({{"name":{},"live":{},"watermark_ns":{},"held_by":{},"errors":{},"fields":{}}})",
               json_quoted(stream.name), stream.live, number_or_null(stream.watermark_ns),
               text_or_null(stream.held_by), stream.errors, fields);
         });
  out +=
      ",\"stores\":" + json_list(figures.stores, [](const StoreFigures& store) {
        return fmt::format(
            R"({{"path":{},"stream":{},"kind":{},"entries":{},"late":{},"due_ns":{},"entries_by_shard":{}}})",
            json_quoted(store.path), json_quoted(store.stream), json_quoted(store.kind), store.entries,
            store.late, number_or_null(store.due_ns),
            json_list(store.entries_by_shard, [](uint64_t count) { return std::to_string(count); }));
      });
  out += ",\"sinks\":" + json_list(figures.sinks, [](const SinkFigures& sink) {
           return fmt::format(R"({{"name":{},"stream":{},"rows":{}}})", json_quoted(sink.name),
                              json_quoted(sink.stream), sink.rows);
         });
  out += ",\"params\":" + json_list(figures.params, [](const ParamFigures& param) {
           return fmt::format(R"({{"name":{},"type":{},"value":{}}})", json_quoted(param.name),
                              json_quoted(param.type), param.value);
         });
  out += ",\"dropped\":" + json_list(figures.dropped, [](const auto& drop) {
           return fmt::format(R"({{"stage":{},"rows":{}}})", json_quoted(drop.first), drop.second);
         });
  return out;
}

std::string shadow_json(const ShadowReport& report) {
  constexpr std::string_view lives[] = {"waits", "runs", "ended"};
  constexpr std::string_view kinds[] = {"changed", "missing", "extra"};
  std::string out = fmt::format(
      R"("name":{},"life":"{}","ended":{},"plan":{},"warnings":{},"from":{},"records":{},"live_ns":{},"candidate_ns":{},"live_errors":{},)"
      R"("candidate_errors":{},"state_bytes":{},"entries":{},"pause_ns":{},"unexpected":{})",
      json_quoted(report.name), lives[static_cast<size_t>(report.life)], text_or_null(report.ended),
      json_quoted(report.plan), json_quoted(report.warnings), cuts_json(report.from), report.records,
      report.live_ns, report.candidate_ns, report.live_errors, report.candidate_errors, report.state_bytes,
      report.entries, report.pause_ns, texts_json(report.unexpected));
  out += ",\"sinks\":" + json_list(report.sinks, [&](const SinkComparison& sink) {
           std::string fields = json_list(sink.fields, [](const FieldDifference& field) {
             return fmt::format(R"({{"field":{},"rows":{},"numbers":{},"sum":{},"most":{}}})",
                                json_quoted(field.field), field.rows, field.numbers, finite(field.sum),
                                finite(field.most));
           });
           std::string samples = json_list(sink.samples, [&](const RowDifference& row) {
             return fmt::format(R"({{"kind":"{}","source":{},"record":{},"live":{},"candidate":{}}})",
                                kinds[static_cast<size_t>(row.kind)], json_quoted(row.source), row.record,
                                row.live.empty() ? "null" : row.live,
                                row.candidate.empty() ? "null" : row.candidate);
           });
           return fmt::format(
               R"({{"sink":{},"equal":{},"changed":{},"missing":{},"extra":{},"fields":{},"samples":{}}})",
               json_quoted(sink.sink), sink.equal, sink.changed, sink.missing, sink.extra, fields, samples);
         });
  return out;
}

std::string canary_json(const CanaryReport& report) {
  constexpr std::string_view lives[] = {"waits", "runs", "completed", "ended"};
  return fmt::format(
      R"("name":{},"version":{},"part":{},"life":"{}","ended":{},"plan":{},"warnings":{},"from":{},"to":{},)"
      R"("records":{},"records_inside":{},"rows":{},"live_rows":{},"errors":{},"live_errors":{},)"
      R"("state_bytes":{},"entries":{},"pause_ns":{},"close_pause_ns":{})",
      json_quoted(report.name), report.version, json_quoted(report.part),
      lives[static_cast<size_t>(report.life)], text_or_null(report.ended), json_quoted(report.plan),
      json_quoted(report.warnings), cuts_json(report.from), cuts_json(report.to), report.records,
      report.records_inside, report.rows, report.live_rows, report.errors, report.live_errors,
      report.state_bytes, report.entries, report.pause_ns, report.close_pause_ns);
}

std::string_view kind_text(Failure::Kind kind) {
  constexpr std::string_view names[] = {"script",         "usage",     "io",         "refused",
                                        "needs_decision", "no_change", "superseded", "internal"};
  return names[static_cast<size_t>(kind)];
}

std::string failure_json(const Failure& failure) {
  return fmt::format(R"({{"kind":"{}","text":{},"codes":{},"cells":{}}})", kind_text(failure.kind),
                     json_quoted(failure.text), texts_json(failure.codes), cells_json(failure.cells));
}

}  // namespace mut::session
