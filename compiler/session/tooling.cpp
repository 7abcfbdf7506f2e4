#include "mutstream/tooling.h"

#include "compiler/jit/jit.h"
#include "compiler/modules/reader.h"
#include "compiler/printer/printer.h"
#include "compiler/sema/check.h"
#include "compiler/session/checkpoint/guarantees.h"
#include "compiler/session/program.h"
#include "compiler/syntax/parse.h"

namespace mut {
namespace {

std::string render(const diag::Engine& diags, const source::SourceSet& sources, const CheckOptions& options) {
  if (options.diagnostics == EngineOptions::Diagnostics::Json) return diag::render_json(diags, sources);
  return diag::render_text(
      diags, sources, options.color == EngineOptions::Color::Yes ? diag::Color::Always : diag::Color::Never);
}

}  // namespace

std::string_view version_text() { return "mutc 0.1.0, edition 1, LLVM 19"; }

CheckResult check_script(std::string_view text, std::string name, const CheckOptions& options) {
  source::SourceSet sources;
  diag::Engine diags;
  source::FileId file = sources.add(std::move(name), std::string(text));
  ast::Program tree = syntax::parse(sources, file, diags);
  modules::Reader modules(sources);
  sema::CheckOptions check;
  check.modules = &modules;
  auto checked = diags.has_errors() ? std::nullopt : sema::check(tree, diags, check);
  if (checked) {
    session::Program program;
    program.typed = std::make_shared<const typed::Program>(std::move(*checked));
    program.graph = std::make_shared<const graph::Graph>(graph::build_graph(program.typed));
    (void)session::check_demands(program, diags);
  }
  return {!diags.has_errors(), render(diags, sources, options)};
}

std::optional<std::vector<std::string>> imported_files(std::string_view text, std::string name) {
  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree = syntax::parse(sources, sources.add(std::move(name), std::string(text)), diags);
  if (diags.has_errors()) return std::nullopt;
  modules::Reader modules(sources);
  sema::CheckOptions check;
  check.modules = &modules;
  (void)sema::check(tree, diags, check);
  return modules.files();
}

Outcome<std::string> format_script(std::string_view text, std::string name, const CheckOptions& options) {
  source::SourceSet sources;
  diag::Engine diags;
  source::FileId file = sources.add(std::move(name), std::string(text));
  ast::Program tree = syntax::parse(sources, file, diags);
  if (diags.has_errors()) return Failure{Failure::Kind::Script, render(diags, sources, options)};
  return printer::format(tree, sources);
}

Outcome<std::string> explain_script(std::string_view text, std::string name, Emit emit, TierChoice tier,
                                    const CheckOptions& options) {
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  if (emit == Emit::Ast) {
    source::FileId file = sources->add(std::move(name), std::string(text));
    ast::Program tree = syntax::parse(*sources, file, diags);
    if (diags.has_errors()) return Failure{Failure::Kind::Script, render(diags, *sources, options)};
    return printer::dump(tree);
  }
  auto shards = emit == Emit::Shards ? graph::Graph::Shards::Several : graph::Graph::Shards::One;
  auto program = session::make_program(text, std::move(name), sources, diags, {}, {}, shards);
  if (!program) return Failure{Failure::Kind::Script, render(diags, *sources, options)};
  jit::Tier of = tier == TierChoice::Quick ? jit::Tier::Quick : jit::Tier::Optimised;
  switch (emit) {
    case Emit::Typed:
      return typed::dump(*program->typed);
    case Emit::Graph:
      return graph::dump(*program->graph);
    case Emit::Shards:
      return graph::dump_shards(*program->graph);
    case Emit::Pipelines:
      return graph::dump_pipelines(*program->graph);
    default: {
      auto printed =
          emit == Emit::Llvm ? jit::print_ir(*program->graph, of) : jit::print_assembly(*program->graph, of);
      if (!printed) return Failure{Failure::Kind::Internal, printed.error().message};
      return std::move(printed).value();
    }
  }
}

}  // namespace mut
