#include "mutstream/testing.h"

#include "compiler/session/test/run.h"
#include "compiler/syntax/parse.h"

namespace mut {

Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const TestOptions& options) {
  CheckResult checked = check_script(text, name, options.check);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree = syntax::parse(sources, sources.add(name, std::string(text)), diags);
  session::TestScript script;
  script.sources = &sources;
  script.declarations = sema::declarations_of(tree);
  script.folder = name.substr(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
  script.name = std::move(name);
  std::vector<TestResult> out;
  for (const ast::Declaration* declaration : script.declarations) {
    if (const auto* test = std::get_if<ast::TestDecl>(&declaration->node))
      out.push_back(session::run_test(script, *test, options.runner));
  }
  if (out.empty()) return Failure{Failure::Kind::Script, script.name + ": no `test` block\n"};
  return out;
}

}  // namespace mut
