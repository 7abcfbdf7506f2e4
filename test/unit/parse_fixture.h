// Parses a text and keeps what was said about it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "compiler/printer/printer.h"
#include "compiler/syntax/parse.h"

namespace mut::test {

struct Parsed {
  explicit Parsed(std::string text) : file(sources.add("test.mut", std::move(text))) {
    program = syntax::parse(sources, file, diags);
  }
  std::string dump() const { return printer::dump(program); }
  std::string format() const { return printer::format(program, sources); }
  std::string messages() const { return diag::render_text(diags, sources, diag::Color::Never); }

  // "Code@marked text" of every report, in order of place.
  std::vector<std::string> reports() const {
    std::vector<std::string> out;
    for (const diag::Diagnostic& one : diags.sorted()) {
      out.push_back(std::string(diag::info(one.code).name) + "@" + std::string(sources.text(one.span)));
    }
    return out;
  }

  source::SourceSet sources;
  diag::Engine diags;
  source::FileId file;
  ast::Program program;
};

// The tree of one expression.
inline std::string dump_expr(const std::string& text) {
  Parsed parsed("const X = " + text);
  if (!parsed.diags.sorted().empty()) return parsed.messages();
  std::string out = parsed.dump();
  std::string compact;  // "(a b)" for a node with children
  // Indented lines to one line: the shape is what a test compares.
  std::vector<size_t> open;
  size_t begin = 0;
  while (begin < out.size()) {
    size_t end = out.find('\n', begin);
    std::string line = out.substr(begin, end - begin);
    begin = end + 1;
    size_t depth = line.find_first_not_of(' ') / 2;
    if (depth < 2) continue;  // `const X`, `value`
    while (!open.empty() && open.back() >= depth) {
      compact += ")";
      open.pop_back();
    }
    if (!compact.empty() && compact.back() != '(') compact += " ";
    compact += "(" + line.substr(2 * depth);
    open.push_back(depth);
  }
  compact.append(open.size(), ')');
  return compact;
}

}  // namespace mut::test
