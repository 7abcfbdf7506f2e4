#include "tools/mutc/fmt/fmt_command.h"

#include <cstdio>
#include <fstream>
#include <memory>

namespace mut::tools {
namespace {

struct Options {
  std::vector<std::string> files;
  bool check = false;
};

int format_file(const std::string& file, const Options& options, const ConsoleOptions& console) {
  auto text = read_script(file);
  if (!text) return exit_io;
  auto formatted = format_script(*text, file, check_options(console));
  if (!formatted) {
    print_error(formatted.failure().text);
    return exit_code_of(formatted.failure().kind);
  }
  if (options.check) {
    if (formatted.value() == *text) return 0;
    std::fprintf(stderr, "mutc: %s is not formatted\n", file.c_str());
    return exit_script;
  }
  if (file == "-") {
    std::fputs(formatted.value().c_str(), stdout);
    return 0;
  }
  if (formatted.value() == *text) return 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << formatted.value();
  out.flush();
  if (out) return 0;
  std::fprintf(stderr, "mutc: %s: cannot be written\n", file.c_str());
  return exit_io;
}

}  // namespace

void add_fmt(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("fmt", "Format scripts in place; - formats standard input to standard output");
  command->add_option("FILE", options->files, "Scripts")->required();
  command->add_flag("--check", options->check, "Change nothing; fail when a script is not formatted");
  command->callback([&console, &exit_code, options] {
    for (const std::string& file : options->files) {
      int code = format_file(file, *options, console);
      if (code != 0) exit_code = code;
    }
  });
}

}  // namespace mut::tools
