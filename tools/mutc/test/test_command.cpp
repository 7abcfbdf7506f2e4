#include "tools/mutc/test/test_command.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include "mutstream/testing.h"
#include "tools/mutc/test/junit.h"

namespace mut::tools {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string engine = "jit";
  std::string junit;
  bool update = false;
};

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc | std::ios::binary);
  out << text;
  out.flush();
  if (out) return true;
  print_error("mutc: " + path + ": cannot be written\n");
  return false;
}

// Writes what came into the script and the files of its tests; `text` becomes that of the script. False after
// a message.
bool update(const std::string& path, std::string& text, const TestOptions& options) {
  auto updated = update_tests(text, path, options);
  if (!updated && updated.failure().kind == Failure::Kind::Refused) print_error(updated.failure().text);
  if (!updated) return true;  // the run that follows says what is wrong
  if (updated.value().expectations == 0) return true;
  if (updated.value().text != text && !write_file(path, updated.value().text)) return false;
  for (const auto& [file, rows] : updated.value().files) {
    if (!write_file(file, rows)) return false;
  }
  text = updated.value().text;
  std::printf("updated %s: %zu expectation%s\n", path.c_str(), updated.value().expectations,
              updated.value().expectations == 1 ? "" : "s");
  return true;
}

}  // namespace

void add_test(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("test", "Run the `test` blocks of scripts");
  command->add_option("FILE", arguments->files, "Scripts")->required();
  command
      ->add_option("--engine", arguments->engine,
                   "jit, or reference: the interpreter that defines the meaning")
      ->check(CLI::IsMember({"jit", "reference"}));
  command->add_flag("--update", arguments->update,
                    "Write the rows that came into the tests, and into the files that they expect");
  command->add_option("--junit", arguments->junit, "Also write the results to this file, as JUnit XML");
  command->callback([&console, &exit_code, arguments] {
    if (arguments->update &&
        std::find(arguments->files.begin(), arguments->files.end(), "-") != arguments->files.end()) {
      print_error("mutc: --update needs a file to write to, not standard input");
      exit_code = exit_usage;
      return;
    }
    size_t passed = 0;
    size_t failed = 0;
    std::vector<TestedFile> tested;
    TestOptions options;
    options.check = check_options(console);
    if (arguments->engine == "reference") options.runner = TestOptions::Runner::Reference;
    for (const std::string& file : arguments->files) {
      tested.push_back({file, {}, ""});
      auto text = read_script(file);
      if (!text) {
        tested.back().problem = "the file cannot be read";
        exit_code = exit_io;
        continue;
      }
      if (arguments->update && !update(file, *text, options)) exit_code = exit_io;
      auto results = run_tests(*text, file, options);
      if (!results) {
        tested.back().problem = results.failure().text;
        print_error(results.failure().text);
        exit_code = exit_script;
        continue;
      }
      for (const TestResult& result : results.value()) {
        ++(result.passed ? passed : failed);
        std::printf("%s  %s: %s\n%s", result.passed ? "ok    " : "FAILED", file.c_str(), result.name.c_str(),
                    result.text.c_str());
      }
      tested.back().results = std::move(results).value();
    }
    std::printf("%zu passed, %zu failed\n", passed, failed);
    if (failed > 0) exit_code = exit_script;
    if (!arguments->junit.empty() && !write_file(arguments->junit, junit_xml(tested))) exit_code = exit_io;
  });
}

}  // namespace mut::tools
