#include "tools/mutc/explain/explain.h"

#include <cstdio>
#include <memory>

namespace mut::tools {

void add_explain(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  struct Options {
    std::string file;
    std::string emit = "pipelines";
    std::string tier = "optimised";
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("explain", "Show what a script becomes on its way to machine code");
  command->add_option("FILE", options->file, "Script; - for standard input")->required();
  command->add_option("--emit", options->emit, "ast, typed, graph, pipelines, shards, llvm or asm")
      ->check(CLI::IsMember({"ast", "typed", "graph", "pipelines", "shards", "llvm", "asm"}));
  command->add_option("--tier", options->tier, "quick or optimised, for llvm and asm")
      ->check(CLI::IsMember({"quick", "optimised"}));
  command->callback([&console, &exit_code, options] {
    auto text = read_script(options->file);
    if (!text) {
      exit_code = exit_io;
      return;
    }
    const std::string& name = options->emit;
    Emit emit = name == "ast"      ? Emit::Ast
                : name == "typed"  ? Emit::Typed
                : name == "graph"  ? Emit::Graph
                : name == "shards" ? Emit::Shards
                : name == "llvm"   ? Emit::Llvm
                : name == "asm"    ? Emit::Asm
                                   : Emit::Pipelines;
    TierChoice tier = options->tier == "quick" ? TierChoice::Quick : TierChoice::Optimised;
    auto out = explain_script(*text, options->file, emit, tier, check_options(console));
    if (!out) {
      print_error(out.failure().text);
      exit_code = exit_code_of(out.failure().kind);
      return;
    }
    std::fwrite(out.value().data(), 1, out.value().size(), stdout);
  });
}

}  // namespace mut::tools
