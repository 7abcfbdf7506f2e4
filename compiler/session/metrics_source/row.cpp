// What a record of `metrics` says. By the thread of the rows, while it asks its sources for more.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/session/engine_state.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/text/time.h"

namespace mut {
namespace {

constexpr int64_t ms_ns = 1'000'000;

std::string quoted(std::string_view text) {
  text::Buffer out;
  json::append_string(text, out);
  return std::string(out.view());
}

std::string number_or_null(std::optional<int64_t> number) {
  return number ? std::to_string(*number) : "null";
}

double per_second(uint64_t count, int64_t ns) {
  return ns > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(ns) : 0.0;
}

}  // namespace

std::optional<std::string> Engine::State::metrics_row(const std::string& source) {
  std::vector<runtime::FeedState> feeds = runner->feeds().states();
  const runtime::Instance& instance = runner->fleet().instance(0);
  const std::vector<runtime::SourcePlan>& plans = instance.plan().sources;
  const int64_t now_ns = now();
  bool others_over = true;
  std::optional<int64_t> lag_ms;
  size_t waiting_bytes = 0;
  uint64_t dropped = 0;
  std::string sources;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const runtime::FeedState& feed = feeds[i];
    if (i < plans.size() && plans[i].own_metrics) continue;
    bool over =
        feed.reads == runtime::FeedState::Reads::Ended || feed.reads == runtime::FeedState::Reads::Nothing;
    others_over = others_over && over;
    waiting_bytes += feed.waiting_bytes;
    dropped += feed.dropped;
    std::optional<int64_t> behind_ms;
    int64_t watermark = i < plans.size() ? instance.watermarks[i] : runtime::no_watermark;
    if (!over && watermark != runtime::no_watermark && watermark != state::never)
      behind_ms = (now_ns - runtime::later(watermark, plans[i].lateness)) / ms_ns;
    if (behind_ms) lag_ms = std::max(lag_ms.value_or(*behind_ms), *behind_ms);
    sources += fmt::format(R"({}{{"name":{},"records":{},"lag_ms":{},"waiting_bytes":{},"dropped":{}}})",
                           sources.empty() ? "" : ",", quoted(feed.name), feed.records,
                           number_or_null(behind_ms), feed.waiting_bytes, feed.dropped);
  }
  if (others_over) return std::nullopt;
  size_t queued_bytes = 0;
  int64_t held_up_ns = 0;
  std::string sinks;
  for (const runtime::EmitPlan& emit : instance.plan().emits) {
    const runtime::OutletBinding* binding = runner->outlets().find(emit.name);
    if (binding == nullptr || emit.name.starts_with("tap:")) continue;
    size_t bytes = binding->writer ? binding->writer->waiting_bytes() : 0;
    int64_t held_ns = binding->held_up_ns;
    if (binding->full_since_ns) held_ns += env->monotonic_ns() - *binding->full_since_ns;
    queued_bytes += bytes;
    held_up_ns += held_ns;
    sinks += fmt::format(R"({}{{"name":{},"rows":{},"queued_bytes":{},"held_up_ms":{}}})",
                         sinks.empty() ? "" : ",", quoted(emit.name), binding->rows, bytes, held_ns / ms_ns);
  }
  const uint64_t records = runner->stats().records_in;
  const uint64_t rows = runner->stats().rows_out - runner->outlets().looked_rows();
  MetricsBefore& before = metrics_before[source];
  const int64_t steady_ns = steady();
  const int64_t since_ns = before.at_ns != 0 ? steady_ns - before.at_ns : 0;
  char time[text::time_bytes_max];
  std::string out = fmt::format(
      R"({{"time":"{}","version":{},"records_in":{},"rows_out":{},"records_per_s":{:.3f},"rows_per_s":{:.3f},)"
      R"("errors":{},"dropped":{},"lag_ms":{},"waiting_bytes":{},"queued_bytes":{},"held_up_ms":{},"state_bytes":{},)"
      R"("state_bytes_max":{},"sources":[{}],"sinks":[{}]}})",
      std::string_view(time, text::format_time(now_ns, time)), runner->version(), records, rows,
      per_second(records - before.records, since_ns), per_second(rows - before.rows, since_ns),
      runner->errors().total(), dropped, number_or_null(lag_ms), waiting_bytes, queued_bytes,
      held_up_ns / ms_ns, runner->budget().used(), runner->budget().limit(), sources, sinks);
  before = {steady_ns, records, rows};
  return out;
}

}  // namespace mut
