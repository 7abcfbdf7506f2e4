#include "tools/mutc/history/history_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace mut::tools {
namespace {

struct Options {
  std::string file;
  bool json = false;
  bool verify = false;
  uint64_t diff = 0;
};

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

const VersionRecord* find(const HistoryFile& history, uint64_t version) {
  for (const VersionRecord& record : history.versions) {
    if (record.version == version) return &record;
  }
  return nullptr;
}

// "v3  2026-11-26 15:04:05Z  running  rules.mut  after v2, restores v1  cut payments:500  pause 0.05 ms".
std::string line_of(const VersionRecord& record) {
  auto time = fmt::gmtime(static_cast<std::time_t>(record.time_ns / 1'000'000'000));
  std::string out = fmt::format("v{:<4} {:%Y-%m-%d %H:%M:%S}Z  {:<14} {}", record.version, time,
                                outcome_name(record.outcome), record.name);
  if (record.parent != 0) out += fmt::format("  after v{}", record.parent);
  if (record.restores != 0) out += fmt::format(", restores v{}", record.restores);
  std::string cut;
  for (const SourceCut& source : record.cut)
    cut += fmt::format("{}{}:{}", cut.empty() ? "" : ",", source.source, source.records);
  if (!cut.empty())
    out += fmt::format("  cut {}  pause {:.2f} ms", cut, static_cast<double>(record.pause_ns) / 1e6);
  for (const Consent& consent : record.accepted)
    out += fmt::format("\n      accepted {}:{}", consent.verdict, consent.cell);
  for (size_t begin = 0; begin < record.shadow.size();) {
    size_t end = std::min(record.shadow.find('\n', begin), record.shadow.size());
    out += "\n      " + record.shadow.substr(begin, end - begin);
    begin = end + 1;
  }
  // Diagnostics are several lines: the first says what is wrong.
  if (!record.reason.empty()) out += "\n      " + record.reason.substr(0, record.reason.find('\n'));
  return out + "\n";
}

int show_diff(const HistoryFile& history, uint64_t version) {
  const VersionRecord* after = find(history, version);
  if (after == nullptr) {
    std::fprintf(stderr, "mutc: no version %llu is recorded\n", static_cast<unsigned long long>(version));
    return exit_usage;
  }
  const VersionRecord* before = find(history, after->parent);
  VersionRecord nothing;
  print(diff_versions(before != nullptr ? *before : nothing, *after));
  return 0;
}

int show(const Options& options, const ConsoleOptions& console) {
  auto read = read_history(options.file);
  if (!read) {
    print_error("mutc: " + read.failure().text);
    return exit_code_of(read.failure().kind);
  }
  const HistoryFile& history = read.value();
  if (history.torn_bytes > 0 && !console.quiet) {
    std::fprintf(
        stderr, "mutc: %s: the last line was not written to its end (%llu bytes); the next run cuts it off\n",
        options.file.c_str(), static_cast<unsigned long long>(history.torn_bytes));
  }
  if (options.diff != 0) return show_diff(history, options.diff);
  if (options.verify) {
    print(fmt::format("{} lines, {} versions, the chain is whole; the last line is {}\n", history.lines,
                      history.versions.size(), history.last_hash));
    return 0;
  }
  for (const VersionRecord& record : history.versions)
    print(options.json ? version_json(record) + "\n" : line_of(record));
  return 0;
}

}  // namespace

void add_history(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("history", "Show the versions that `mutc run --history` recorded");
  command->add_option("FILE", options->file, "The file")->required();
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON object a version");
  CLI::Option* verify =
      command->add_flag("--verify", options->verify, "Only check that no line was changed or taken away");
  command->add_option("--diff", options->diff, "N: what version N changed in the version that ran before it")
      ->check(CLI::PositiveNumber)
      ->excludes(json)
      ->excludes(verify);
  verify->excludes(json);
  command->callback([&console, &exit_code, options] { exit_code = show(*options, console); });
}

}  // namespace mut::tools
