// Refused as a whole until test blocks run: a green result must mean that something was tested.
#include "mutstream/testing.h"

#include "compiler/syntax/parse.h"

namespace mut {

Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const CheckOptions& options) {
  CheckResult checked = check_script(text, name, options);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree = syntax::parse(sources, sources.add(name, std::string(text)), diags);
  for (const ast::Declaration& decl : tree.declarations) {
    if (!std::holds_alternative<ast::TestDecl>(decl.node)) continue;
    return Failure{Failure::Kind::Script,
                   name + ": `test` blocks can be written and are checked, but not run yet\n"};
  }
  return Failure{Failure::Kind::Script, name + ": no `test` block\n"};
}

}  // namespace mut
