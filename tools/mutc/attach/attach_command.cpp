#include "tools/mutc/attach/attach_command.h"

#include <csignal>
#include <memory>
#include <string>

#include "tools/mutc/live/dialogue.h"

namespace mut::tools {

void add_attach(CLI::App& app, const ConsoleOptions&, int& exit_code) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("attach", "Edit, tap and ask a program that runs with --control");
  command->add_option("PATH", *path, "The socket that `mutc run --control PATH` listens on")->required();
  command->callback([&exit_code, path] {
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<Link> link = connect_to(*path);
    if (!link) {
      exit_code = exit_io;
      return;
    }
    JsonValue hello = link->ask("hello");
    if (!is_ok(hello)) {
      const JsonValue* error = hello.find("error");
      print_error("mutc: " + *path + ": " + (error == nullptr ? "no answer" : text_in(*error, "text")));
      exit_code = exit_io;
      return;
    }
    exit_code =
        hold_dialogue(*link, text_in(hello, "script") + " runs as v" +
                                 std::to_string(int_in(hello, "version")) + "; `:help` says what goes");
  });
}

}  // namespace mut::tools
