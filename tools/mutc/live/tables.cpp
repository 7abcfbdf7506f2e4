#include "tools/mutc/live/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "tools/mutc/live/link.h"

namespace mut::tools {
namespace {

// Left-aligned columns, the last one as long as it is.
class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()), 0);
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i)
        line += i + 1 < row.size() ? row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ') : row[i];
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
  }

 private:
  // Of UTF-8 in a terminal, where each character takes one place.
  static size_t width_of(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
  }
  std::vector<std::vector<std::string>> rows_;
};

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string bytes_text(int64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::optional<int64_t> time_in(const JsonValue& value, std::string_view member) {
  const JsonValue* found = value.find(member);
  return found == nullptr ? std::nullopt : found->as_int();
}

// How far behind the clock an event time is.
std::string behind(std::optional<int64_t> time_ns, int64_t now_ns) {
  if (!time_ns) return "-";
  double seconds = static_cast<double>(now_ns - *time_ns) / 1e9;
  double size = seconds < 0 ? -seconds : seconds;
  if (size < 120) return fmt::format("{:.1f} s", seconds);
  if (size < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (size < 172'800) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86'400);
}

const JsonValue* find_named(const JsonValue& figures, std::string_view list, const std::string& name) {
  for (const JsonValue& item : list_in(figures, list)) {
    if (text_in(item, "name") == name) return &item;
  }
  return nullptr;
}

// "1,200/s": of a count that `before` had too.
std::string rate(const JsonValue& figures, const JsonValue* before, std::string_view list,
                 const JsonValue& item, std::string_view count) {
  const JsonValue* was = before == nullptr ? nullptr : find_named(*before, list, text_in(item, "name"));
  if (was == nullptr) return "-";
  auto seconds = static_cast<double>(int_in(figures, "now_ns") - int_in(*before, "now_ns")) / 1e9;
  if (seconds <= 0) return "-";
  auto more = static_cast<double>(int_in(item, count) - int_in(*was, count));
  return grouped(static_cast<int64_t>(more / seconds + 0.5)) + "/s";
}

// What each of some numbers is of their sum, in per cent; empty: there are none.
std::vector<int64_t> shares(const std::vector<JsonValue>& numbers) {
  int64_t sum = 0;
  for (const JsonValue& number : numbers) sum += number.as_int().value_or(0);
  std::vector<int64_t> out;
  for (const JsonValue& number : numbers)
    out.push_back(sum == 0 ? 0 : (200 * number.as_int().value_or(0) + sum) / (2 * sum));
  return out;
}

// "shards have worked 52 % 48 %" of all that they did.
std::string shares_line(const JsonValue& figures) {
  std::string out;
  for (int64_t share : shares(list_in(figures, "shards_worked_ns")))
    out += (out.empty() ? "shards have worked " : "  ") + std::to_string(share) + " %";
  return out.empty() ? out : out + "\n";
}

// ", 61 % in one shard": of the store of a stream that is divided least evenly.
std::string fullest(const JsonValue& figures, const std::string& stream) {
  int64_t most = 0;
  for (const JsonValue& store : list_in(figures, "stores")) {
    if (text_in(store, "stream") != stream) continue;
    for (int64_t share : shares(list_in(store, "entries_by_shard"))) most = std::max(most, share);
  }
  return most == 0 ? "" : fmt::format(", {} % in one shard", most);
}

}  // namespace

std::string figures_table(const JsonValue& figures, const JsonValue* before, const Rates* rates) {
  auto bars = [&](std::string_view list, const JsonValue& item) {
    return rates == nullptr ? "" : rates->bars(list, text_in(item, "name"));
  };
  int64_t now_ns = int_in(figures, "now_ns");
  std::string out = fmt::format(
      "{}  v{}  {} in  {} out  {} failed  {} late  {} swaps  state {} of {}  {} code\n",
      text_in(figures, "script"), int_in(figures, "version"), grouped(int_in(figures, "records_in")),
      grouped(int_in(figures, "rows_out")), grouped(int_in(figures, "event_errors")),
      grouped(int_in(figures, "late")), int_in(figures, "swaps"), bytes_text(int_in(figures, "state_bytes")),
      bytes_text(int_in(figures, "state_bytes_max")), text_in(figures, "tier"));
  out += shares_line(figures);
  Table sources;
  sources.row({"SOURCE", "RECORDS", "RATE", "BEHIND", "READS", rates == nullptr ? "" : "LATELY"});
  for (const JsonValue& source : list_in(figures, "sources")) {
    sources.row({text_in(source, "name"), grouped(int_in(source, "records")),
                 rate(figures, before, "sources", source, "records"),
                 behind(time_in(source, "newest_ns"), now_ns), text_in(source, "reads"),
                 bars("sources", source)});
  }
  Table streams;
  streams.row({"STREAM", "WATERMARK BEHIND", "ERRORS", "STATE", "HELD BY"});
  for (const JsonValue& stream : list_in(figures, "streams")) {
    const JsonValue* live = stream.find("live");
    std::string name = text_in(stream, "name");
    if (live == nullptr || !live->is_true() || find_named(figures, "sources", name) != nullptr) continue;
    int64_t entries = 0;
    bool keeps = false;
    for (const JsonValue& store : list_in(figures, "stores")) {
      if (text_in(store, "stream") != name) continue;
      entries += int_in(store, "entries");
      keeps = true;
    }
    streams.row(
        {name, behind(time_in(stream, "watermark_ns"), now_ns), grouped(int_in(stream, "errors")),
         keeps ? grouped(entries) + (entries == 1 ? " entry" : " entries") + fullest(figures, name) : "-",
         text_in(stream, "held_by")});
  }
  Table sinks;
  sinks.row({"SINK", "ROWS", "RATE", "STREAM", rates == nullptr ? "" : "LATELY"});
  for (const JsonValue& sink : list_in(figures, "sinks")) {
    sinks.row({text_in(sink, "name"), grouped(int_in(sink, "rows")),
               rate(figures, before, "sinks", sink, "rows"), text_in(sink, "stream"), bars("sinks", sink)});
  }
  return out + sources.text() + streams.text() + sinks.text();
}

std::string streams_table(const JsonValue& figures) {
  Table table;
  for (const JsonValue& stream : list_in(figures, "streams")) {
    std::string name = text_in(stream, "name");
    std::string fields;
    for (const JsonValue& field : list_in(stream, "fields"))
      fields += (fields.empty() ? "" : ", ") + text_in(field, "name") + ": " + text_in(field, "type");
    table.row({find_named(figures, "sources", name) != nullptr ? "source" : "stream", name, fields});
  }
  for (const JsonValue& param : list_in(figures, "params")) {
    const JsonValue* value = param.find("value");
    table.row({"param", text_in(param, "name"),
               text_in(param, "type") + " = " + (value == nullptr ? "" : to_json(*value))});
  }
  return table.text();
}

std::string history_table(const JsonValue& reply) {
  Table table;
  table.row({"VERSION", "FROM", "OUTCOME", "CUT", "WHAT"});
  for (const JsonValue& record : list_in(reply, "versions")) {
    std::string cut;
    for (const JsonValue& source : list_in(record, "cut"))
      cut += (cut.empty() ? "" : " ") + text_in(source, "source") + ":" +
             std::to_string(int_in(source, "records"));
    std::string what = text_in(record, "reason");
    std::string plan = text_in(record, "plan");
    if (what.empty() && plan.find("   ") != std::string::npos) what = plan.substr(plan.find("   ") + 3);
    if (int_in(record, "restores") != 0)
      what = fmt::format("back to v{}; {}", int_in(record, "restores"), what);
    what = what.substr(0, what.find('\n'));
    int64_t parent = int_in(record, "parent");
    table.row({fmt::format("v{}", int_in(record, "version")), parent == 0 ? "-" : fmt::format("v{}", parent),
               text_in(record, "outcome"), cut, what});
  }
  return table.text();
}

}  // namespace mut::tools
