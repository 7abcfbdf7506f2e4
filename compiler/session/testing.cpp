#include "mutstream/testing.h"

#include "compiler/session/test/run.h"
#include "compiler/syntax/parse.h"
#include "runtime/env/real_env.h"

namespace mut {
namespace {

// A script that checks, with what its tests need. Not moved: the parts refer to each other.
struct Loaded {
  Loaded(std::string_view text, const std::string& name) {
    tree = syntax::parse(sources, sources.add(name, std::string(text)), diags);
    script.sources = &sources;
    script.declarations = sema::declarations_of(tree);
    script.folder = name.substr(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
    script.name = name;
    for (const ast::Declaration* declaration : script.declarations) {
      if (const auto* test = std::get_if<ast::TestDecl>(&declaration->node)) tests.push_back(test);
    }
  }
  Loaded(const Loaded&) = delete;

  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree;
  session::TestScript script;
  std::vector<const ast::TestDecl*> tests;
};

Failure no_tests(const std::string& name) { return {Failure::Kind::Script, name + ": no `test` block\n"}; }

}  // namespace

Outcome<std::vector<TestResult>> run_tests(std::string_view text, std::string name,
                                           const TestOptions& options) {
  CheckResult checked = check_script(text, name, options.check);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Io, machine.error().message};
  env::Env& clock = *machine.value();
  Loaded loaded(text, name);
  if (loaded.tests.empty()) return no_tests(name);
  std::vector<TestResult> out;
  for (const ast::TestDecl* test : loaded.tests) {
    int64_t begin = clock.monotonic_ns();
    out.push_back(session::run_test(loaded.script, *test, options.runner, nullptr));
    out.back().seconds = static_cast<double>(clock.monotonic_ns() - begin) / 1e9;
  }
  return out;
}

Outcome<TestUpdate> update_tests(std::string_view text, std::string name, const TestOptions& options) {
  CheckResult checked = check_script(text, name, options.check);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  Loaded loaded(text, name);
  if (loaded.tests.empty()) return no_tests(name);
  session::Recorder recorder(loaded.sources);
  for (const ast::TestDecl* test : loaded.tests)
    (void)session::run_test(loaded.script, *test, options.runner, &recorder);
  TestUpdate out{recorder.script(loaded.tree.file), {}, recorder.expectations()};
  out.files.assign(recorder.files().begin(), recorder.files().end());
  CheckResult still = check_script(out.text, name, options.check);
  if (!still.fine)
    return Failure{Failure::Kind::Refused, "what came cannot be written as a test:\n" + still.text};
  auto as_it_was = format_script(text, name, options.check);
  auto formatted = format_script(out.text, name, options.check);
  if (as_it_was && formatted && as_it_was.value() == text) out.text = std::move(formatted).value();
  return out;
}

}  // namespace mut
