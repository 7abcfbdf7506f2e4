#include "tools/mutc/run/run.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "tools/mutc/run/run_options.h"
#include "tools/mutc/run/session.h"

namespace mut::tools {

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("FILE", options.file, "Script; - for standard input")->required();
  command
      .add_option("--bind", options.binds,
                  "NAME=TARGET: where a source or sink really goes; TARGET is a path, -, or csv:path")
      ->allow_extra_args(false);
  command
      .add_option("--swap", options.swaps,
                  "FILE@SOURCE:N[,SOURCE:N…]: swap to FILE after exactly N records of SOURCE")
      ->allow_extra_args(false);
  command
      .add_option("--undo", options.undos,
                  "SOURCE:N[,SOURCE:N…]: swap back to the version before after exactly N records of SOURCE")
      ->allow_extra_args(false);
  command
      .add_option("--shadow", options.shadows,
                  "FILE[@SOURCE:N…]: run FILE beside, on the same events, and compare its rows")
      ->allow_extra_args(false);
  command.add_option(
      "--expect", options.expect,
      "\"none\", or of missing, extra, changed, changed only FIELD: how rows of the shadow may "
      "differ; otherwise exit 1");
  command
      .add_option("--promote", options.promotes,
                  "SOURCE:N[,SOURCE:N…]: swap to the shadow's script after exactly N records of SOURCE")
      ->allow_extra_args(false);
  command.add_option("--adopt", options.adopts, "SOURCE:N[,SOURCE:N…]: the same, with the shadow's state")
      ->allow_extra_args(false);
  command
      .add_option("--canary", options.canaries,
                  "FILE[@SOURCE:N…]: run FILE for the keys that --part names, and the script for the others")
      ->allow_extra_args(false);
  command.add_option("--part", options.part, "\"5% by FIELD\": which keys are the canary's");
  command
      .add_option("--complete", options.completes,
                  "SOURCE:N[,SOURCE:N…]: all keys are the canary's after exactly N records of SOURCE")
      ->allow_extra_args(false);
  command
      .add_option("--end-canary", options.ends,
                  "SOURCE:N[,SOURCE:N…]: its keys go back to the script after exactly N records of SOURCE")
      ->allow_extra_args(false);
  command
      .add_option("--accept", options.accepts,
                  "VERDICT:CELL: consent to what the edit before it does to a cell")
      ->allow_extra_args(false);
  command.add_option("--guard", options.guard,
                     "\"errors<1%\": take an edit back when so many of the records behind its cut fail");
  command.add_option("--set", options.sets, "PARAM=VALUE[@SOURCE:N]: give a param another value")
      ->allow_extra_args(false);
  command.add_flag("--watch", options.watch, "Swap to the script again whenever it is saved");
  command.add_option("--policy", options.policy, "strict, ask or live")
      ->check(CLI::IsMember({"strict", "ask", "live"}));
  command.add_option("--engine", options.engine, "jit or reference")
      ->check(CLI::IsMember({"jit", "reference"}));
  command.add_option("--tier", options.tier, "quick, optimised or auto")
      ->check(CLI::IsMember({"quick", "optimised", "auto"}));
  command.add_option("--batch", options.batch, "Rows of a batch")->check(CLI::Range(1, 1 << 20));
  command
      .add_option("--shards", options.shards,
                  "Threads that share the events by their keys; the order of rows is kept for each key")
      ->check(CLI::Range(1, 64));
  command
      .add_option(
          "--decode-threads", options.decode_threads,
          "Threads that decode text beside the one that runs rows; one fewer than processors, three at "
          "most, where this is not given")
      ->check(CLI::Range(0, 64));
  command.add_option("--disturb", options.disturb, "swap: a full exchange at every batch boundary")
      ->check(CLI::IsMember({"swap"}));
  command.add_option("--stats", options.stats, "Write figures of the run to this file as JSON");
  command.add_option("--log", options.log, "text, or json: what the run says as a JSON object a line")
      ->check(CLI::IsMember({"text", "json"}));
  command.add_option("--control", options.control,
                     "PATH: listen on this local socket for `mutc attach` and `mutc top`");
  command.add_option("--http", options.http,
                     "ADDRESS: serve /metrics, /livez and /readyz there, such as 127.0.0.1:9464; to others "
                     "than this machine with the three that follow");
  command.add_option("--http-cert", options.http_certificate, "FILE: its certificate, of PEM: https")
      ->needs("--http");
  command.add_option("--http-key", options.http_key, "FILE: the key of that certificate")->needs("--http");
  command
      .add_option("--http-token-file", options.http_token_file,
                  "FILE: what who asks has to show, but for /livez: `Authorization: Bearer …`")
      ->needs("--http");
  command.add_flag("--stamp", options.stamp, "Add $source, $position and $version to every row");
  command.add_option("--memory", options.memory, "Bytes of state at most")
      ->transform(CLI::AsSizeValue(false));
  command
      .add_option("--spill", options.spill,
                  "DIR: state that --memory has no room for goes on in a file there")
      ->check([](const std::string& directory) {
        return directory.empty() ? "--spill names a directory" : std::string();
      });
  command.add_option("--spill-limit", options.spill_limit, "Bytes of that file at most (64GB)")
      ->transform(CLI::AsSizeValue(false))
      ->check([](const std::string& bytes) {
        bool is_little = std::strtoull(bytes.c_str(), nullptr, 10) < uint64_t{2} << 20U;
        return is_little ? "a file of less than 2MB takes no state" : std::string();
      })
      ->needs("--spill");
  command.add_option("--history", options.history,
                     "Record every version in this file; a run that finds one goes on with it");
  command.add_option("--state", options.state,
                     "DIR: keep checkpoints there; a run that finds one goes on from it");
  command.add_option(
      "--checkpoint-every", options.checkpoint_every,
      "D: how long from one checkpoint to the next: 500ms, 10s, 1m; 10s where it is not given");
  command.add_option("--fail-on", options.fail_on, "errors: exit 1 when events failed")
      ->check(CLI::IsMember({"errors"}));
  command
      .add_option("--perf", options.perf,
                  "map or jitdump: tell `perf` which stage compiled code is for, in /tmp/perf-PID.map or "
                  "./jit-PID.dump; also MUT_PERF")
      ->check(CLI::IsMember({"map", "jitdump"}));
}

void add_run(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a script");
  add_run_options(*command, *options);
  command->callback([command, &console, &exit_code, options] {
    // Which --accept belongs to which edit is a matter of order on the command line.
    options->read_order(command->parse_order());
    exit_code = run_script(*options, console);
  });
}

}  // namespace mut::tools
