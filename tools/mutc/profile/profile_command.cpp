#include "tools/mutc/profile/profile_command.h"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "tools/mutc/live/link.h"
#include "tools/mutc/run/run_options.h"
#include "tools/mutc/run/session.h"

namespace mut::tools {
namespace {

constexpr std::chrono::milliseconds look_again{100};
// Code with lines is compiled in the background of what runs; longer than this it does not come.
constexpr std::chrono::seconds begin_max{60};

struct ProfileOptions {
  RunOptions run;
  double seconds = 10;
  bool json = false;
};

std::atomic<bool> interrupted{false};
void on_signal(int) { interrupted = true; }

bool is_socket(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

// The newest look at the profile of the program behind the link, with how long it has run.
struct Look {
  JsonValue reply;
  double seconds = 0;
  bool begun = false;
  bool ended = false;
};

std::optional<Look> look(Link& link, std::string_view op) {
  Look out;
  out.reply = link.ask(op);
  const JsonValue* profile = is_ok(out.reply) ? out.reply.find("profile") : nullptr;
  if (profile == nullptr) return std::nullopt;
  out.seconds = static_cast<double>(int_in(*profile, "elapsed_ns")) / 1e9;
  out.begun = text_in(*profile, "life") != "waits";
  out.ended = text_in(*profile, "life") == "ended";
  return out;
}

int print_look(const Look& seen, const ProfileOptions& options) {
  const JsonValue* profile = seen.reply.find("profile");
  if (options.json) {
    std::printf("%s\n", to_json(*profile).c_str());
  } else {
    std::printf("%s", text_in(seen.reply, "text").c_str());
  }
  return seen.begun ? 0 : exit_io;
}

int profile_socket(const ProfileOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::unique_ptr<Link> link = connect_to(options.run.file);
  if (!link) return exit_io;
  JsonValue begun = link->ask("profile");
  if (!is_ok(begun)) {
    const JsonValue* error = begun.find("error");
    print_error("mutc: " + (error != nullptr ? text_in(*error, "text") : "the program is gone"));
    return exit_usage;
  }
  auto asked = std::chrono::steady_clock::now();
  std::optional<Look> last;
  while (!interrupted) {
    std::optional<Look> now = look(*link, "profile_report");
    if (!now) break;
    last = std::move(now);
    if (last->begun && last->seconds >= options.seconds) break;
    if (last->ended) {
      print_error("mutc: the profile was ended by someone else; this is what was seen until then");
      return print_look(*last, options);
    }
    if (!last->begun && std::chrono::steady_clock::now() - asked > begin_max) break;
    std::this_thread::sleep_for(look_again);
  }
  std::optional<Look> ended = look(*link, "profile_end");
  if (!ended && last)
    print_error("mutc: the program has ended; this is what was seen of it until shortly before");
  if (ended) last = std::move(ended);
  if (!last) {
    print_error("mutc: the program is gone");
    return exit_io;
  }
  return print_look(*last, options);
}

}  // namespace

void add_profile(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<ProfileOptions>();
  CLI::App* command = app.add_subcommand("profile",
                                         "Where the time of a running program goes, by line: FILE is the "
                                         "socket of `mutc run --control`, or a script to run");
  add_run_options(*command, options->run);
  command->add_option("--seconds", options->seconds, "Of a socket: how long to look; Ctrl-C ends it earlier")
      ->check(CLI::Range(0.1, 86'400.0));
  command->add_flag("--json", options->json, "One JSON object instead of a table");
  command->add_option("--to", options->run.profile_to,
                      "Of a script: write the profile to this file instead of standard error");
  command->callback([command, &console, &exit_code, options] {
    options->run.read_order(command->parse_order());
    if (is_socket(options->run.file)) {
      exit_code = profile_socket(*options);
      return;
    }
    options->run.profile = options->json ? RunOptions::Profile::Json : RunOptions::Profile::Text;
    exit_code = run_script(options->run, console);
  });
}

}  // namespace mut::tools
