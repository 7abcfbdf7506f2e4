#include "tools/mutc/run/stats_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

namespace mut::tools {
namespace {

std::string counts(const std::vector<std::pair<std::string, uint64_t>>& entries) {
  std::string out = "{";
  for (const auto& [name, count] : entries)
    out += fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "", name, count);
  return out + "}";
}

std::string checkpoints(const EngineStats::Checkpoints& of) {
  return fmt::format(
      "{{\"taken\":{},\"abandoned\":{},\"number\":{},\"pause_ms\":{:.3f},\"pause_most_ms\":{:.3f},"
      "\"write_ms\":{:.3f},\"written_bytes\":{},\"state_bytes\":{},\"memory_bytes\":{}}}",
      of.taken, of.abandoned, of.number, static_cast<double>(of.pause_ns) / 1e6,
      static_cast<double>(of.pause_most_ns) / 1e6, static_cast<double>(of.write_ns) / 1e6, of.written_bytes,
      of.state_bytes, of.memory_bytes);
}

}  // namespace

bool write_stats(const std::string& path, const EngineStats& stats, double seconds) {
  std::vector<std::pair<std::string, uint64_t>> positions;
  for (const SourceCut& cut : stats.positions) positions.emplace_back(cut.source, cut.records);
  std::ofstream out(path, std::ios::trunc);
  out << fmt::format(
      "{{\"schema\":1,\"seconds\":{:.6f},\"records_in\":{},\"rows_out\":{},\"event_errors\":{},\"late\":{},"
      "\"version\":{},\"swaps\":{},"
      "\"cells_converted\":{},\"entries_converted\":{},\"tier\":\"{}\",\"kernels_compiled\":{},\"kernels_"
      "reused\":{},\"compile_ms\":{:.3f},"
      "\"state_bytes\":{},\"spilled_bytes\":{},\"live_dylibs\":{},\"positions\":{},\"errors\":{},\"dropped\":"
      "{},\"late_by_stage\":"
      "{},\"checkpoints\":{}}}\n",
      seconds, stats.records_in, stats.rows_out, stats.event_errors, stats.late, stats.version, stats.swaps,
      stats.cells_converted, stats.entries_converted, stats.tier, stats.kernels_compiled,
      stats.kernels_reused, static_cast<double>(stats.compile_ns) / 1e6, stats.state_bytes,
      stats.spilled_bytes, stats.live_dylibs, counts(positions), counts(stats.errors_by_stream),
      counts(stats.dropped_by_stage), counts(stats.late_by_stage), checkpoints(stats.checkpoints));
  out.flush();
  return static_cast<bool>(out);
}

}  // namespace mut::tools
