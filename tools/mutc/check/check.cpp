#include "tools/mutc/check/check.h"

#include <memory>

namespace mut::tools {

void add_check(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("check", "Parse and type-check scripts; nothing is run");
  command->add_option("FILE", *files, "Scripts; - for standard input")->required();
  command->callback([&console, &exit_code, files] {
    for (const std::string& file : *files) {
      auto text = read_script(file);
      if (!text) {
        exit_code = exit_io;
        continue;
      }
      CheckResult result = check_script(*text, file, check_options(console));
      if (!result.fine || !console.quiet) print_error(result.text);
      if (!result.fine) exit_code = exit_script;
    }
  });
}

}  // namespace mut::tools
