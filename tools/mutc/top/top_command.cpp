#include "tools/mutc/top/top_command.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "tools/mutc/live/link.h"
#include "tools/mutc/live/tables.h"

namespace mut::tools {
namespace {

struct TopOptions {
  std::string path;
  bool once = false;
  int interval_ms = 1000;
};

// False where the person wants no more.
bool pause(int milliseconds) {
  pollfd polled{::isatty(STDIN_FILENO) != 0 ? STDIN_FILENO : -1, POLLIN, 0};
  if (::poll(&polled, 1, milliseconds) <= 0) return true;
  char byte;
  return ::read(STDIN_FILENO, &byte, 1) > 0 && byte != 'q';
}

int run_top(const TopOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Link> link = connect_to(options.path);
  if (!link) return exit_io;
  bool terminal = ::isatty(STDOUT_FILENO) != 0;
  std::optional<JsonValue> before;
  Rates rates;
  while (true) {
    JsonValue figures = link->ask("stats");
    if (!is_ok(figures)) {
      const JsonValue* error = figures.find("error");
      print_error("mutc: " + (error != nullptr ? text_in(*error, "text") : "the program is gone"));
      return before && !options.once ? 0 : exit_io;
    }
    rates.look(figures);
    // The first look of `--once` is there for the rates of the second.
    if (!options.once || before) {
      std::string text = figures_table(figures, before ? &*before : nullptr, options.once ? nullptr : &rates);
      std::printf("%s%s", terminal && !options.once ? "\033[H\033[J" : "", text.c_str());
      if (!terminal && !options.once) std::printf("\n");
      std::fflush(stdout);
      if (std::ferror(stdout) != 0) return exit_io;
      if (options.once) return 0;
    }
    before = std::move(figures);
    if (!pause(options.interval_ms)) return 0;
  }
}

}  // namespace

void add_top(CLI::App& app, const ConsoleOptions&, int& exit_code) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command =
      app.add_subcommand("top", "Figures of a program that runs with --control, again and again");
  command->add_option("PATH", options->path, "The socket that `mutc run --control PATH` listens on")
      ->required();
  command->add_flag("--once", options->once, "Print them once, with rates over one interval");
  command->add_option("--interval", options->interval_ms, "Milliseconds between two looks")
      ->check(CLI::Range(50, 3'600'000));
  command->callback([&exit_code, options] { exit_code = run_top(*options); });
}

}  // namespace mut::tools
