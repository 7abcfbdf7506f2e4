#include "tools/mutc/test/test_command.h"

#include <cstdio>
#include <memory>

#include "mutstream/testing.h"

namespace mut::tools {

void add_test(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("test", "Run the `test` blocks of scripts");
  command->add_option("FILE", *files, "Scripts")->required();
  command->callback([&console, &exit_code, files] {
    size_t passed = 0;
    size_t failed = 0;
    for (const std::string& file : *files) {
      auto text = read_script(file);
      if (!text) {
        exit_code = exit_io;
        continue;
      }
      auto results = run_tests(*text, file, check_options(console));
      if (!results) {
        print_error(results.failure().text);
        exit_code = exit_script;
        continue;
      }
      for (const TestResult& result : results.value()) {
        ++(result.passed ? passed : failed);
        if (!result.passed)
          std::printf("FAILED %s: %s\n%s", file.c_str(), result.name.c_str(), result.text.c_str());
      }
    }
    std::printf("%zu passed, %zu failed\n", passed, failed);
    if (failed > 0) exit_code = exit_script;
  });
}

}  // namespace mut::tools
