// mutc: options in, public API calls, text out. Data on stdout, messages on stderr.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "mutstream/tooling.h"
#include "tools/mutc/attach/attach_command.h"
#include "tools/mutc/check/check.h"
#include "tools/mutc/console.h"
#include "tools/mutc/doc/doc_command.h"
#include "tools/mutc/doctor/doctor_command.h"
#include "tools/mutc/explain/explain.h"
#include "tools/mutc/fmt/fmt_command.h"
#include "tools/mutc/history/history_command.h"
#include "tools/mutc/new/new_command.h"
#include "tools/mutc/plan/plan.h"
#include "tools/mutc/profile/profile_command.h"
#include "tools/mutc/repl/repl_command.h"
#include "tools/mutc/run/run.h"
#include "tools/mutc/test/test_command.h"
#include "tools/mutc/top/top_command.h"

int main(int argc, char** argv) {
  using namespace mut::tools;  // NOLINT: this file is about them
  CLI::App app{"mutc checks, runs and hot-swaps Mut scripts: streams that change while they flow."};
  app.set_help_flag("-h,--help", "Show this help");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  mutc run fraud.mut\n  mutc run fraud.mut --watch\n  mutc check fraud.mut\n  mutc plan "
      "old.mut new.mut");
  ConsoleOptions console;
  app.add_option("--color", console.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_option("--diagnostics", console.diagnostics, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-q,--quiet", console.quiet, "No messages but errors");
  app.fallthrough();
  int exit_code = 0;
  add_run(app, console, exit_code);
  add_check(app, console, exit_code);
  add_fmt(app, console, exit_code);
  add_plan(app, console, exit_code);
  add_explain(app, console, exit_code);
  add_test(app, console, exit_code);
  add_new(app, console, exit_code);
  add_doc(app, console, exit_code);
  add_doctor(app, console, exit_code);
  add_repl(app, console, exit_code);
  add_attach(app, console, exit_code);
  add_top(app, console, exit_code);
  add_history(app, console, exit_code);
  add_profile(app, console, exit_code);
  CLI::App* version = app.add_subcommand("version", "Show the version");
  version->callback([&] { std::printf("%s\n", std::string(mut::version_text()).c_str()); });
  app.add_flag_callback(
      "--version",
      [] {
        std::printf("%s\n", std::string(mut::version_text()).c_str());
        throw CLI::Success();
      },
      "Show the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::printf("%s",
                (app.get_subcommands().empty() ? app.help() : app.get_subcommands()[0]->help()).c_str());
    return finish_output(0);
  } catch (const CLI::Success&) {
    return finish_output(0);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mutc: %s\nTry `mutc --help`.\n", error.what());
    return exit_usage;
  }
  return finish_output(exit_code);
}
