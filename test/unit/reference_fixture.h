// Checks a script and runs it by the reference interpreter.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "compiler/reference/interpreter.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace mut::test {

struct CheckedScript {
  explicit CheckedScript(std::string text)
      : sources(std::make_shared<source::SourceSet>()), file(sources->add("test.mut", std::move(text))) {
    ast::Program tree = syntax::parse(*sources, file, diags);
    auto checked = diags.has_errors() ? std::nullopt : sema::check(tree, diags);
    EXPECT_TRUE(checked) << diag::render_text(diags, *sources, diag::Color::Never);
    if (checked) program = std::make_shared<typed::Program>(std::move(*checked));
  }
  auto line() const {
    return [kept = sources](source::Span span) { return static_cast<int>(kept->locate(span).line); };
  }

  std::shared_ptr<source::SourceSet> sources;
  source::FileId file;
  diag::Engine diags;
  std::shared_ptr<const typed::Program> program;
};

class ReferenceRun {
 public:
  explicit ReferenceRun(const std::string& script)
      : script_(script), interpreter(script_.program, {script_.line()}) {}

  ReferenceRun& feed(const std::string& source, const std::string& text,
                     std::optional<reference::Format> format = reference::Format::Json) {
    interpreter.bind(source, {text, "in.jsonl", format});
    return *this;
  }
  ReferenceRun& until(const std::string& source, uint64_t records) {
    interpreter.run_until({{source, records}});
    return *this;
  }
  std::vector<std::string> swap(const std::string& script, const reference::Consents& consents = {}) {
    CheckedScript next(script);
    return interpreter.swap(next.program, consents, next.line());
  }
  ReferenceRun& end() {
    interpreter.run_to_end();
    return *this;
  }
  std::vector<std::string> rows(const std::string& sink = "out") const {
    std::vector<std::string> out;
    for (const reference::OutputLine& line : interpreter.output(sink)) out.push_back(line.text);
    return out;
  }

 private:
  CheckedScript script_;

 public:
  reference::Interpreter interpreter;
};

using Rows = std::vector<std::string>;

}  // namespace mut::test
