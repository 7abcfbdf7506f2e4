#include "tools/mutc/run/session.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "mutstream/control.h"
#include "mutstream/json.h"
#include "mutstream/status.h"
#include "tools/mutc/run/edits.h"
#include "tools/mutc/run/guard.h"
#include "tools/mutc/run/run_log.h"
#include "tools/mutc/run/stats_file.h"
#include "tools/mutc/run/watch.h"

namespace mut::tools {
namespace {

std::atomic<int> signals_seen{0};  // the handler may touch nothing else

void on_signal(int number) {
  if (signals_seen.fetch_add(1) >= 1) _exit(128 + number);
}

std::string perf_of_environment() {
  const char* value = std::getenv("MUT_PERF");
  return value != nullptr ? value : "";
}

// False: it could not be written.
bool tell_profile(Engine& engine, const RunOptions& options, const RunLog& log) {
  auto report = engine.profile();
  if (!report) return false;
  std::string text = options.profile == RunOptions::Profile::Json ? profile_json(report.value()) + "\n"
                                                                  : profile_text(report.value());
  std::FILE* to = options.profile_to.empty() ? stderr : std::fopen(options.profile_to.c_str(), "we");
  bool written = to != nullptr && std::fputs(text.c_str(), to) >= 0;
  if (to != nullptr && to != stderr) written = std::fclose(to) == 0 && written;
  if (!written) {
    log.say(RunLog::Level::Error, "failed", "mutc: " + options.profile_to + ": the profile cannot be written",
            {{"exit_code", std::to_string(exit_io)}});
  }
  return written;
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
    auto parsed = parse_edit(RunOptions::Edit::Swap, swap);
    if (!parsed) return exit_usage;
    run.swaps.push_back(std::move(parsed->request));
  }
  std::vector<SwapRequest*> requests;
  for (SwapRequest& swap : run.swaps) requests.push_back(&swap);
  if (!place_accepts(options, requests)) return exit_usage;
  bool beside = options.watch || !options.sets.empty() || !options.undos.empty() ||
                !options.shadows.empty() || !options.promotes.empty() || !options.adopts.empty() ||
                !options.canaries.empty() || !options.completes.empty() || !options.ends.empty() ||
                !options.part.empty() || !options.expect.empty() || !options.control.empty() ||
                options.http || !options.history.empty() || !options.state.empty() || !options.perf.empty() ||
                options.profile != RunOptions::Profile::No;
  if (beside) {
    std::fprintf(stderr,
                 "mutc: --engine reference knows no --watch, --set, --undo, --shadow, --canary, --control, "
                 "--http, --history, --state and --perf, and is not profiled\n");
    return exit_usage;
  }
  auto done = run_reference(text, options.file, run, check_options(console));
  if (done) return 0;
  print_error(done.failure().text);
  return exit_code_of(done.failure().kind);
}

// More have not been seen to help: the thread of rows cannot take what they decode.
constexpr uint32_t decode_threads_usual = 3;

uint32_t spare_processors() {
  uint32_t all = std::max(1U, std::thread::hardware_concurrency());
  return std::min(all - 1, decode_threads_usual);
}

}  // namespace

int run_script(const RunOptions& options, const ConsoleOptions& console) {
  std::signal(SIGPIPE, SIG_IGN);
  // A write past the size that the system allows a file fails like one to a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  auto text = read_script(options.file);
  if (!text) return exit_io;
  // The interpreter ends at once: it has no state worth finishing.
  if (options.engine == "reference") return run_by_reference(*text, options, console);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // The terminal has gone; under nohup a run goes on.
  if (std::signal(SIGHUP, on_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  EngineOptions engine_options;
  engine_options.tier = options.tier == "quick"       ? TierChoice::Quick
                        : options.tier == "optimised" ? TierChoice::Optimised
                                                      : TierChoice::Auto;
  engine_options.batch_rows = options.batch;
  engine_options.shards = static_cast<uint32_t>(options.shards);
  engine_options.decode_threads = options.decode_threads.value_or(spare_processors());
  engine_options.memory_bytes = options.memory;
  engine_options.spill_dir = options.spill;
  if (options.spill_limit != 0) engine_options.spill_bytes = options.spill_limit;
  engine_options.policy = policy_of(options);
  engine_options.stamp = options.stamp ? EngineOptions::Stamp::Yes : EngineOptions::Stamp::No;
  engine_options.disturb =
      options.disturb == "swap" ? EngineOptions::Disturb::Swap : EngineOptions::Disturb::No;
  engine_options.history_path = options.history;
  engine_options.state_dir = options.state;
  if (!options.checkpoint_every.empty()) {
    auto every = parse_duration(options.checkpoint_every);
    if (!every || options.state.empty()) {
      print_error("mutc: --checkpoint-every " + options.checkpoint_every +
                  (every ? ": there is no --state" : ": write a duration as 500ms, 10s or 1m"));
      return exit_usage;
    }
    engine_options.checkpoint_every_ns = *every;
  }
  if (!options.state.empty()) {
    auto consents = consents_at_start(options);
    if (!consents) return exit_usage;
    engine_options.state_accept = std::move(*consents);
  }
  engine_options.kernel_cache = kernel_cache_folder();
  engine_options.color = use_color(console);
  engine_options.diagnostics = use_diagnostics(console);

  std::string perf = options.perf.empty() ? perf_of_environment() : options.perf;
  if (perf != "" && perf != "map" && perf != "jitdump") {
    print_error("mutc: MUT_PERF is map or jitdump");
    return exit_usage;
  }
  engine_options.perf = perf == "map"       ? EngineOptions::Perf::Map
                        : perf == "jitdump" ? EngineOptions::Perf::Jitdump
                                            : EngineOptions::Perf::No;

  const RunLog log(options.log == "json" ? RunLog::Form::Json : RunLog::Form::Text,
                   console.quiet ? RunLog::Much::Quiet : RunLog::Much::All);
  using Level = RunLog::Level;
  auto refuse = [&](const Failure& failure) {
    bool of_script = failure.kind == Failure::Kind::Script;
    int code = exit_code_of(failure.kind);
    log.say(Level::Error, of_script ? "script" : "failed", of_script ? failure.text : "mutc: " + failure.text,
            {{"exit_code", std::to_string(code)}});
    return code;
  };
  auto loaded = Engine::load(*text, options.file, engine_options);
  if (!loaded) {
    log.say(Level::Error, "script", loaded.failure().text,
            {{"exit_code", std::to_string(exit_code_of(loaded.failure().kind))}});
    return exit_code_of(loaded.failure().kind);
  }
  Engine& engine = *loaded.value();
  log.say(Level::Warning, "warnings", engine.warnings());
  size_t warned = engine.warnings().size();
  for (const std::string& bind : options.binds) {
    size_t equals = bind.find('=');
    if (equals == std::string::npos)
      return refuse({Failure::Kind::Usage, "--bind " + bind + ": write NAME=TARGET"});
    auto bound = engine.bind(bind.substr(0, equals), bind.substr(equals + 1));
    if (!bound) return refuse(bound.failure());
  }
  auto parsed_edits = parse_edits(options);
  if (!parsed_edits) return exit_usage;
  std::vector<ScheduledEdit>& edits = *parsed_edits;
  if (!in_order(edits)) return exit_usage;
  std::optional<Guard> guard;
  if (!options.guard.empty()) {
    guard = parse_guard(options.guard);
    if (!guard) return exit_usage;
  }
  for (ScheduledEdit& edit : edits) edit.request.guard = guard;
  std::vector<SwapRequest*> requests;
  for (ScheduledEdit& edit : edits) requests.push_back(&edit.request);
  if (!place_accepts(options, requests)) return exit_usage;
  // Before sinks are opened, which empties their files: another run may be writing them.
  std::unique_ptr<ControlServer> control;
  if (!options.control.empty()) {
    auto listening = ControlServer::listen(options.control);
    if (!listening) return refuse(listening.failure());
    control = std::move(listening).value();
  }
  std::unique_ptr<StatusServer> status;
  if (options.http) {
    StatusAccess access{
        options.http_certificate, options.http_key, options.http_token_file, [&log](const std::string& why) {
          log.say(Level::Warning, "metrics_refused", "mutc: --http: a connection was refused, " + why);
        }};
    auto listening = StatusServer::listen(*options.http, access);
    if (!listening) return refuse({listening.failure().kind, "--http " + listening.failure().text});
    status = std::move(listening).value();
    status->serve(engine);
    const char* scheme = options.http_certificate.empty() ? "http://" : "https://";
    log.say(Level::Info, "metrics", "mutc: metrics are at " + (scheme + status->address()) + "/metrics");
  }
  if (options.profile != RunOptions::Profile::No) {
    auto profiled = engine.begin_profile();
    if (!profiled) return refuse(profiled.failure());
  }
  auto started = engine.start();
  if (!started) return refuse(started.failure());
  if (!console.quiet) log.say(Level::Warning, "warnings", engine.warnings().substr(warned));
  log.note("started",
           {{"script", json_quoted(options.file)}, {"version", std::to_string(engine.stats().version)}});

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
  const std::vector<SourceCut> begun_at = engine.stats().positions;
  for (const ScheduledEdit& edit : edits) {
    // A run that goes on from a checkpoint has had it.
    if (lies_behind(edit.request.at, begun_at)) continue;
    auto offered = offer(edit, engine);
    // A run that goes on has made it already.
    bool made = !options.state.empty() && !offered && offered.failure().kind == Failure::Kind::NoChange;
    if (made) continue;
    if (!offered) {
      exit_code = exit_code_of(offered.failure().kind);
      log.say(Level::Error, "edit_refused",
              "mutc: " + edit.label + " is not applied\n" + offered.failure().text,
              {{"exit_code", std::to_string(exit_code)}});
      continue;
    }
    if (offered.value().version != 0) wanted[offered.value().version] = edit.request.at;
    bool seen = edit.edit == RunOptions::Edit::Complete || edit.edit == RunOptions::Edit::End;
    if (!seen)
      log.say(Level::Info, "plan", offered.value().plan,
              {{"version", std::to_string(offered.value().version)}});
  }
  if (control) control->serve(engine);
  std::optional<ScriptWatch> watch;
  if (options.watch) watch.emplace(options.file, *text, engine, guard, log);

  auto begin = std::chrono::steady_clock::now();
  bool stopping = false;
  auto tell_messages = [&] {
    for (const std::string& message : engine.messages()) log.say(Level::Info, "message", "mutc: " + message);
  };
  RunState state = RunState::More;
  std::string broken;  // what a sink said that takes no more
  auto last_flush = begin;
  while (true) {
    state = engine.run();
    tell_messages();
    while (auto report = engine.swap_done()) {
      bool asked = wanted.contains(report->version);
      log.swap(*report, wanted[report->version]);
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
        broken = flushed.failure().text;
        refuse(flushed.failure());
        exit_code = exit_io;
        break;
      }
      if (state == RunState::Idle) engine.wait(20'000'000);
    }
  }
  watch.reset();
  if (state == RunState::Failed) broken = engine.failure().text;
  if (control && !broken.empty()) control->end(ControlServer::Why::Failed, broken);
  if (control && broken.empty())
    control->end(ControlServer::Why::Ended, stopping ? "it was told to stop" : "its input has ended");
  control.reset();
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (state == RunState::Failed) exit_code = refuse(engine.failure());
  if (!options.shadows.empty() && !tell_shadow(engine, options, log) && exit_code == 0)
    exit_code = exit_script;
  if (!options.canaries.empty()) tell_canary(engine, log);
  if (options.profile != RunOptions::Profile::No && !tell_profile(engine, options, log) && exit_code == 0)
    exit_code = exit_io;
  EngineStats stats = engine.stats();
  tell_messages();
  auto closed = engine.close();
  if (!closed) {
    int told = refuse(closed.failure());
    if (exit_code == 0) exit_code = told;
  }
  tell_messages();
  log.losses(stats);
  if (!options.stats.empty() && !write_stats(options.stats, stats, seconds)) {
    log.say(Level::Error, "failed", "mutc: " + options.stats + ": cannot be written",
            {{"exit_code", std::to_string(exit_io)}});
    exit_code = exit_io;
  }
  if (options.disturb == "swap") {
    log.say(Level::Info, "message",
            "mutc: disturbed by " + std::to_string(stats.swaps) + " cuts, " +
                std::to_string(stats.cells_converted) + " cells, " + std::to_string(stats.entries_converted) +
                " entries");
  }
  if (exit_code == 0 && options.fail_on == "errors" && stats.event_errors > 0) exit_code = exit_script;
  log.note("ended", {{"exit_code", std::to_string(exit_code)},
                     {"seconds", std::to_string(seconds)},
                     {"records_in", std::to_string(stats.records_in)},
                     {"rows_out", std::to_string(stats.rows_out)},
                     {"event_errors", std::to_string(stats.event_errors)},
                     {"version", std::to_string(stats.version)}});
  return exit_code;
}

}  // namespace mut::tools
