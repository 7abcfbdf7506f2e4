#include "tools/mutc/doc/doc_command.h"

#include <cstdio>
#include <memory>

namespace mut::tools {
namespace {

// `std.stats`, but not the file `std.mut`.
bool names_module(const std::string& what) {
  return what.starts_with("std.") && !what.ends_with(".mut") && what.find('/') == std::string::npos;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// `std` stands for all of its modules.
std::vector<std::string> all_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const std::string& argument : arguments) {
    if (argument != "std") {
      out.push_back(argument);
      continue;
    }
    for (const std::string& module : library_modules()) out.push_back(module);
  }
  return out;
}

}  // namespace

void add_doc(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto arguments = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("doc", "Print a reference from doc comments, as Markdown; nothing is run");
  command->add_option("FILE|MODULE", *arguments, "Scripts, `std.stats`, or `std` for the whole library")
      ->required();
  command->callback([&console, &exit_code, arguments] {
    bool first = true;
    auto print = [&](const std::string& page) {
      std::printf("%s%s", first ? "" : "\n", page.c_str());
      first = false;
    };
    for (const std::string& what : all_of(*arguments)) {
      if (names_module(what)) {
        auto page = document_module(what);
        if (page) {
          print(*page);
        } else {
          print_error("mutc: there is no module " + what + "; there are " + listed(library_modules()));
          exit_code = exit_usage;
        }
        continue;
      }
      auto text = read_script(what);
      if (!text) {
        exit_code = exit_io;
        continue;
      }
      auto page = document_script(*text, what, check_options(console));
      if (page) {
        print(page.value());
      } else {
        print_error(page.failure().text);
        exit_code = exit_script;
      }
    }
  });
}

}  // namespace mut::tools
