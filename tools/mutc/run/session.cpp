#include "tools/mutc/run/session.h"

#include <sys/stat.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "mutstream/control.h"
#include "tools/mutc/run/guard.h"
#include "tools/mutc/run/stats_file.h"
#include "tools/mutc/run/watch.h"

namespace mut::tools {
namespace {

std::atomic<int> signals_seen{0};  // the handler may touch nothing else

void on_signal(int number) {
  if (signals_seen.fetch_add(1) >= 1) _exit(128 + number);
}

struct ScheduledSwap {
  RunOptions::Edit edit = RunOptions::Edit::Swap;
  SwapRequest request;  // of an undo: cut and consents
  std::string label;    // "--swap v2.mut@s:100"
};

// "payments:100": exactly digits behind the last colon.
std::optional<SourceCut> parse_cut(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  SourceCut out{std::string(text.substr(0, colon)), 0};
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + colon + 1, end, out.records);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return out;
}

// "payments:100,refunds:5", of the option `label`. Says what is wrong.
std::optional<std::vector<SourceCut>> parse_cuts(std::string_view text, const std::string& label) {
  std::vector<SourceCut> out;
  for (size_t begin = 0; begin <= text.size();) {
    size_t comma = std::min(text.find(',', begin), text.size());
    std::string part(text.substr(begin, comma - begin));
    auto cut = parse_cut(part);
    if (!cut) {
      std::fprintf(stderr, "mutc: %s: `%s` is no SOURCE:N\n", label.c_str(), part.c_str());
      return std::nullopt;
    }
    out.push_back(std::move(*cut));
    begin = comma + 1;
  }
  return out;
}

// "v2.mut@payments:100,refunds:5": split at the last `@`.
std::optional<ScheduledSwap> parse_swap(const std::string& text) {
  size_t at = text.rfind('@');
  if (at == std::string::npos) {
    std::fprintf(stderr, "mutc: --swap %s: write FILE@SOURCE:N\n", text.c_str());
    return std::nullopt;
  }
  ScheduledSwap out;
  out.request.name = text.substr(0, at);
  out.label = "--swap " + text;
  auto script = read_script(out.request.name);
  if (!script) return std::nullopt;
  out.request.text = std::move(*script);
  auto cuts = parse_cuts(std::string_view(text).substr(at + 1), out.label);
  if (!cuts) return std::nullopt;
  out.request.at = std::move(*cuts);
  return out;
}

// Swaps and undos, in the order of the command line.
std::optional<std::vector<ScheduledSwap>> parse_edits(const RunOptions& options) {
  std::vector<ScheduledSwap> out;
  size_t swaps = 0;
  size_t undos = 0;
  for (RunOptions::Edit edit : options.edits) {
    if (edit == RunOptions::Edit::Swap) {
      auto swap = parse_swap(options.swaps[swaps++]);
      if (!swap) return std::nullopt;
      out.push_back(std::move(*swap));
      continue;
    }
    ScheduledSwap undo;
    undo.edit = edit;
    const std::string& text = options.undos[undos++];
    undo.label = "--undo " + text;
    auto cuts = parse_cuts(text, undo.label);
    if (!cuts) return std::nullopt;
    undo.request.at = std::move(*cuts);
    out.push_back(std::move(undo));
  }
  return out;
}

// Cuts of one source come in their order: a later one that lies before an earlier one has no meaning.
bool in_order(const std::vector<ScheduledSwap>& swaps) {
  std::map<std::string, uint64_t> last;
  for (const ScheduledSwap& swap : swaps) {
    for (const SourceCut& cut : swap.request.at) {
      auto [known, fresh] = last.emplace(cut.source, cut.records);
      if (cut.records < known->second) {
        std::fprintf(stderr, "mutc: %s: an earlier edit cuts `%s` at %llu; give them in order\n",
                     swap.label.c_str(), cut.source.c_str(), static_cast<unsigned long long>(known->second));
        return false;
      }
      known->second = cut.records;
    }
  }
  return true;
}

// Every `--accept` goes to the swap it stands behind. Says what is wrong.
bool place_accepts(const RunOptions& options, const std::vector<SwapRequest*>& swaps) {
  for (size_t i = 0; i < options.accepts.size(); ++i) {
    auto consent = parse_accept(options.accepts[i]);
    if (!consent) return false;
    int of = options.accept_of[i];
    if (of < 0 || static_cast<size_t>(of) >= swaps.size()) {
      std::fprintf(stderr, "mutc: --accept stands behind the --swap or --undo it belongs to\n");
      return false;
    }
    swaps[static_cast<size_t>(of)]->accept.push_back(std::move(*consent));
  }
  return true;
}

std::string milliseconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f ms", static_cast<double>(ns) / 1e6);
  return text;
}

// `wanted`: the cut that was asked for; the input may have ended before it.
void tell_swap(const SwapReport& report, const std::vector<SourceCut>& wanted,
               const ConsoleOptions& console) {
  if (!report.refused.empty()) {
    std::fprintf(stderr, "mutc: v%llu is not taken\n%s\n", static_cast<unsigned long long>(report.version),
                 report.refused.c_str());
    return;
  }
  if (console.quiet) return;
  if (report.superseded_by != 0) {
    std::fprintf(stderr, "mutc: v%llu is superseded by v%llu\n",
                 static_cast<unsigned long long>(report.version),
                 static_cast<unsigned long long>(report.superseded_by));
    return;
  }
  if (!report.cause.empty()) std::fprintf(stderr, "mutc: %s\n", report.cause.c_str());
  std::string cut;
  for (const SourceCut& source : report.cut)
    cut += " " + source.source + ":" + std::to_string(source.records);
  std::fprintf(stderr, "mutc: v%llu runs from%s on; check %s, compile %s%s, pause %s\n",
               static_cast<unsigned long long>(report.version), cut.c_str(),
               milliseconds(report.check_ns).c_str(), milliseconds(report.compile_ns).c_str(),
               report.compiled ? "" : " (nothing compiled)", milliseconds(report.pause_ns).c_str());
  for (const SourceCut& asked : wanted) {
    for (const SourceCut& taken : report.cut) {
      if (taken.source == asked.source && taken.records < asked.records)
        std::fprintf(stderr, "mutc: `%s` ended before record %llu, where v%llu was to begin\n",
                     asked.source.c_str(), static_cast<unsigned long long>(asked.records),
                     static_cast<unsigned long long>(report.version));
    }
  }
}

SwapPolicy policy_of(const RunOptions& options) {
  if (options.policy == "strict") return SwapPolicy::Strict;
  return options.policy == "live" ? SwapPolicy::Live : SwapPolicy::Ask;
}

// `--engine reference`: the same script by the interpreter that defines its meaning.
int run_by_reference(const std::string& text, const RunOptions& options, const ConsoleOptions& console) {
  ReferenceRun run;
  run.policy = policy_of(options);
  run.stamp = options.stamp ? EngineOptions::Stamp::Yes : EngineOptions::Stamp::No;
  for (const std::string& bind : options.binds) {
    size_t equals = bind.find('=');
    if (equals == std::string::npos) {
      std::fprintf(stderr, "mutc: --bind %s: write NAME=TARGET\n", bind.c_str());
      return exit_usage;
    }
    run.binds.emplace_back(bind.substr(0, equals), bind.substr(equals + 1));
  }
  for (const std::string& swap : options.swaps) {
    auto parsed = parse_swap(swap);
    if (!parsed) return exit_usage;
    run.swaps.push_back(std::move(parsed->request));
  }
  std::vector<SwapRequest*> requests;
  for (SwapRequest& swap : run.swaps) requests.push_back(&swap);
  if (!place_accepts(options, requests)) return exit_usage;
  bool beside = options.watch || !options.sets.empty() || !options.undos.empty() ||
                !options.control.empty() || !options.history.empty();
  if (beside) {
    std::fprintf(stderr,
                 "mutc: --engine reference knows no --watch, --set, --undo, --control and --history\n");
    return exit_usage;
  }
  auto done = run_reference(text, options.file, run, check_options(console));
  if (done) return 0;
  print_error(done.failure().text);
  return exit_code_of(done.failure().kind);
}

}  // namespace

int run_script(const RunOptions& options, const ConsoleOptions& console) {
  std::signal(SIGPIPE, SIG_IGN);
  auto text = read_script(options.file);
  if (!text) return exit_io;
  // The interpreter ends at once: it has no state worth finishing.
  if (options.engine == "reference") return run_by_reference(*text, options, console);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  EngineOptions engine_options;
  engine_options.tier = options.tier == "quick"       ? TierChoice::Quick
                        : options.tier == "optimised" ? TierChoice::Optimised
                                                      : TierChoice::Auto;
  engine_options.batch_rows = options.batch;
  engine_options.shards = static_cast<uint32_t>(options.shards);
  engine_options.memory_bytes = options.memory;
  engine_options.policy = policy_of(options);
  engine_options.stamp = options.stamp ? EngineOptions::Stamp::Yes : EngineOptions::Stamp::No;
  engine_options.disturb =
      options.disturb == "swap" ? EngineOptions::Disturb::Swap : EngineOptions::Disturb::No;
  engine_options.history_path = options.history;
  engine_options.color = use_color(console);
  engine_options.diagnostics = use_diagnostics(console);

  auto loaded = Engine::load(*text, options.file, engine_options);
  if (!loaded) {
    print_error(loaded.failure().text);
    return exit_code_of(loaded.failure().kind);
  }
  Engine& engine = *loaded.value();
  if (!console.quiet && !engine.warnings().empty()) print_error(engine.warnings());
  size_t warned = engine.warnings().size();
  auto refuse = [&](const Failure& failure) {
    print_error(failure.kind == Failure::Kind::Script ? failure.text : "mutc: " + failure.text);
    return exit_code_of(failure.kind);
  };
  for (const std::string& bind : options.binds) {
    size_t equals = bind.find('=');
    if (equals == std::string::npos)
      return refuse({Failure::Kind::Usage, "--bind " + bind + ": write NAME=TARGET"});
    auto bound = engine.bind(bind.substr(0, equals), bind.substr(equals + 1));
    if (!bound) return refuse(bound.failure());
  }
  auto parsed_edits = parse_edits(options);
  if (!parsed_edits) return exit_usage;
  std::vector<ScheduledSwap>& swaps = *parsed_edits;
  if (!in_order(swaps)) return exit_usage;
  std::optional<Guard> guard;
  if (!options.guard.empty()) {
    guard = parse_guard(options.guard);
    if (!guard) return exit_usage;
  }
  for (ScheduledSwap& swap : swaps) swap.request.guard = guard;
  std::vector<SwapRequest*> requests;
  for (ScheduledSwap& swap : swaps) requests.push_back(&swap.request);
  if (!place_accepts(options, requests)) return exit_usage;
  // Before sinks are opened, which empties their files: another run may be writing them.
  std::unique_ptr<ControlServer> control;
  if (!options.control.empty()) {
    auto listening = ControlServer::listen(options.control);
    if (!listening) return refuse(listening.failure());
    control = std::move(listening).value();
  }
  auto started = engine.start();
  if (!started) return refuse(started.failure());
  if (!console.quiet && engine.warnings().size() > warned) print_error(engine.warnings().substr(warned));

  int exit_code = 0;
  for (const std::string& set : options.sets) {
    size_t equals = set.find('=');
    size_t at = set.rfind('@');
    if (equals == std::string::npos)
      return refuse({Failure::Kind::Usage, "--set " + set + ": write PARAM=VALUE"});
    std::vector<SourceCut> cut;
    // A time begins with `@` too.
    bool has_cut = at != std::string::npos && at > equals + 1;
    if (has_cut) {
      auto parsed = parse_cuts(std::string_view(set).substr(at + 1), "--set " + set);
      if (!parsed) return exit_usage;
      cut = std::move(*parsed);
    }
    std::string value = set.substr(equals + 1, has_cut ? at - equals - 1 : std::string::npos);
    auto done = engine.set_param(set.substr(0, equals), value, cut);
    if (!done) return refuse(done.failure());
  }
  // All are planned and compiled before the first event. One that is not applicable is reported, the run
  // goes on, and its code is that of the plan.
  std::map<uint64_t, std::vector<SourceCut>> wanted;  // by version
  for (const ScheduledSwap& swap : swaps) {
    auto report = swap.edit == RunOptions::Edit::Swap ? engine.swap(swap.request)
                                                      : engine.undo({swap.request.accept, swap.request.at});
    if (report) {
      wanted[report.value().version] = swap.request.at;
      if (!console.quiet) print_error(report.value().plan);
      continue;
    }
    print_error("mutc: " + swap.label + " is not applied\n" + report.failure().text);
    exit_code = exit_code_of(report.failure().kind);
  }
  if (control) control->serve(engine);
  std::optional<ScriptWatch> watch;
  if (options.watch) watch.emplace(options.file, *text, engine, guard, console);

  auto begin = std::chrono::steady_clock::now();
  bool stopping = false;
  RunState state = RunState::More;
  auto last_flush = begin;
  while (true) {
    state = engine.run();
    while (auto report = engine.swap_done()) {
      bool asked = wanted.contains(report->version);
      tell_swap(*report, wanted[report->version], console);
      if (!report->refused.empty() && asked) exit_code = exit_code_of(Failure::Kind::Refused);
    }
    if (state == RunState::Done || state == RunState::Failed) break;
    if (!stopping && signals_seen.load() > 0) {
      stopping = true;
      engine.stop();
    }
    auto now = std::chrono::steady_clock::now();
    if (state == RunState::Idle || now - last_flush > std::chrono::milliseconds(100)) {
      last_flush = now;
      auto flushed = engine.flush();
      if (!flushed) {
        refuse(flushed.failure());
        exit_code = exit_io;
        break;
      }
      if (state == RunState::Idle) engine.wait(20'000'000);
    }
  }
  watch.reset();
  control.reset();
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (state == RunState::Failed) exit_code = refuse(engine.failure());
  EngineStats stats = engine.stats();
  auto closed = engine.close();
  if (!closed) {
    int told = refuse(closed.failure());
    if (exit_code == 0) exit_code = told;
  }
  if (!console.quiet) tell_losses(stats);
  if (!options.stats.empty() && !write_stats(options.stats, stats, seconds)) exit_code = exit_io;
  if (options.disturb == "swap" && !console.quiet) {
    std::fprintf(stderr, "mutc: disturbed by %llu cuts, %llu cells, %llu entries\n",
                 static_cast<unsigned long long>(stats.swaps),
                 static_cast<unsigned long long>(stats.cells_converted),
                 static_cast<unsigned long long>(stats.entries_converted));
  }
  if (exit_code == 0 && options.fail_on == "errors" && stats.event_errors > 0) exit_code = exit_script;
  return exit_code;
}

}  // namespace mut::tools
