#include "mutstream/testing.h"

#include "compiler/session/test/run.h"
#include "compiler/syntax/parse.h"
#include "runtime/env/real_env.h"

namespace mut {

Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const TestOptions& options) {
  CheckResult checked = check_script(text, name, options.check);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Io, machine.error().message};
  env::Env& clock = *machine.value();
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
    const auto* test = std::get_if<ast::TestDecl>(&declaration->node);
    if (test == nullptr) continue;
    int64_t begin = clock.monotonic_ns();
    out.push_back(session::run_test(script, *test, options.runner));
    out.back().seconds = static_cast<double>(clock.monotonic_ns() - begin) / 1e9;
  }
  if (out.empty()) return Failure{Failure::Kind::Script, script.name + ": no `test` block\n"};
  return out;
}

}  // namespace mut
