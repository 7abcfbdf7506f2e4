#include "tools/mutc/run/run_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "mutstream/json.h"

namespace mut::tools {
namespace {

using Level = RunLog::Level;

std::string milliseconds(int64_t ns) { return fmt::format("{:.2f} ms", static_cast<double>(ns) / 1e6); }
std::string milliseconds_json(int64_t ns) { return fmt::format("{:.3f}", static_cast<double>(ns) / 1e6); }

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "error";
}

// "2026-01-01T00:00:00.000000Z"
std::string now_text() {
  auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (now - seconds).count());
}

// All at once, so that lines of threads do not mix.
void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

void RunLog::write(Level level, std::string_view event, std::string_view message,
                   const std::vector<Field>& fields) const {
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", now_text(), name_of(level), event);
  for (const Field& field : fields) line += fmt::format(R"(,"{}":{})", field.name, field.json);
  if (!message.empty()) line += ",\"message\":" + json_quoted(message);
  put(line + "}\n");
}

void RunLog::say(Level level, std::string_view event, const std::string& text,
                 const std::vector<Field>& fields) const {
  if (text.empty() || (level == Level::Info && much_ == Much::Quiet)) return;
  if (form_ == Form::Text) return put(text.back() == '\n' ? text : text + "\n");
  constexpr std::string_view from_us = "mutc: ";
  std::string_view message = text;
  if (message.starts_with(from_us)) message.remove_prefix(from_us.size());
  while (message.ends_with('\n')) message.remove_suffix(1);
  write(level, event, message, fields);
}

void RunLog::note(std::string_view event, const std::vector<Field>& fields) const {
  if (form_ == Form::Json && much_ == Much::All) write(Level::Info, event, "", fields);
}

void RunLog::swap(const SwapReport& report, const std::vector<SourceCut>& wanted) const {
  Field version{"version", std::to_string(report.version)};
  if (!report.refused.empty())
    return say(Level::Warning, "swap_refused",
               fmt::format("mutc: v{} is not taken\n{}", report.version, report.refused), {version});
  if (report.superseded_by != 0)
    return say(Level::Info, "swap_superseded",
               fmt::format("mutc: v{} is superseded by v{}", report.version, report.superseded_by),
               {version, {"by", std::to_string(report.superseded_by)}});
  if (!report.cause.empty()) say(Level::Info, "swap_cause", "mutc: " + report.cause, {version});
  std::string cut, cut_json;
  for (const SourceCut& source : report.cut) {
    cut += fmt::format(" {}:{}", source.source, source.records);
    cut_json +=
        fmt::format("{}{}:{}", cut_json.empty() ? "" : ",", json_quoted(source.source), source.records);
  }
  say(Level::Info, "swap",
      fmt::format("mutc: v{} runs from{} on; check {}, compile {}{}, pause {}", report.version, cut,
                  milliseconds(report.check_ns), milliseconds(report.compile_ns),
                  report.compiled ? "" : " (nothing compiled)", milliseconds(report.pause_ns)),
      {version,
       {"cut", "{" + cut_json + "}"},
       {"check_ms", milliseconds_json(report.check_ns)},
       {"compile_ms", milliseconds_json(report.compile_ns)},
       {"compiled", report.compiled ? "true" : "false"},
       {"pause_ms", milliseconds_json(report.pause_ns)}});
  for (const SourceCut& asked : wanted) {
    for (const SourceCut& taken : report.cut) {
      if (taken.source == asked.source && taken.records < asked.records)
        say(Level::Info, "swap_early",
            fmt::format("mutc: `{}` ended before record {}, where v{} was to begin", asked.source,
                        asked.records, report.version),
            {version, {"source", json_quoted(asked.source)}, {"records", std::to_string(taken.records)}});
    }
  }
}

void RunLog::losses(const EngineStats& stats) const {
  for (const auto& [stream, count] : stats.errors_by_stream)
    say(Level::Info, "event_errors",
        fmt::format("mutc: {} event{} failed in `{}`, counted in `{}.errors`", count, count == 1 ? "" : "s",
                    stream, stream),
        {{"stream", json_quoted(stream)}, {"count", std::to_string(count)}});
  for (const auto& [stage, count] : stats.late_by_stage)
    say(Level::Info, "late_events",
        fmt::format("mutc: {} event{} late for `{}`", count, count == 1 ? " was" : "s were", stage),
        {{"stage", json_quoted(stage)}, {"count", std::to_string(count)}});
}

}  // namespace mut::tools
