// References from doc comments, as Markdown.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/modules/reader.h"
#include "compiler/modules/std_texts.h"
#include "compiler/printer/layout.h"
#include "compiler/printer/printer.h"
#include "compiler/printer/spelling.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

constexpr std::string_view example_indent = "    ";

std::string block(std::string_view code) {
  return fmt::format("```mut\n{}{}```\n\n", code, code.ends_with('\n') ? "" : "\n");
}

// Lines of prose as they stand; indented ones are examples.
std::string prose(const std::vector<std::string>& lines) {
  std::string out;
  std::string code;
  auto end_code = [&] {
    if (!code.empty()) out += block(std::exchange(code, ""));
  };
  for (const std::string& line : lines) {
    if (line.starts_with(example_indent)) {
      if (code.empty() && !out.empty() && !out.ends_with("\n\n")) out += "\n";
      code += line.substr(example_indent.size()) + "\n";
      continue;
    }
    end_code();
    out += line + "\n";
  }
  end_code();
  if (!out.empty() && !out.ends_with("\n\n")) out += "\n";
  return out;
}

// Comments at the head of the file, before the first declaration and its own comment.
std::string heading(const ast::Program& tree) {
  std::vector<std::string> lines;
  for (const ast::Comment& comment : tree.comments) {
    if (!tree.declarations.empty() && comment.span.begin > tree.declarations.front().span.begin) break;
    std::string_view text = comment.text;
    if (!text.starts_with("//")) continue;
    text.remove_prefix(text.starts_with("// ") ? 3 : 2);
    lines.emplace_back(text);
  }
  return prose(lines);
}

std::string name_of(const ast::Declaration& declaration) {
  return std::visit(
      [](const auto& node) -> std::string {
        if constexpr (requires { node.name.text; }) return node.name.text;
        return "";
      },
      declaration.node);
}

// As the formatter would write it, had a stream a declared record.
std::string stream_head(const typed::Stream& stream) {
  std::string line = fmt::format("stream {}: {}", stream.name, stream.type->text);
  if (line.size() <= printer::line_columns_max) return line;
  std::string out = fmt::format("stream {}: {{\n", stream.name);
  for (const typed::Field& field : stream.type->fields)
    out += fmt::format("  {}: {},\n", printer::spell(ast::Ident{field.name, {}}, printer::NamePlace::Field),
                       field.type->text);
  return out + "}";
}

// The record of a stream is nowhere written; null where streams are not known. What sets a param stands
// beside it.
std::string head_of(const ast::Declaration& declaration, const ast::Program& tree,
                    const typed::Program* program) {
  std::string name = name_of(declaration);
  if (std::holds_alternative<ast::StreamDecl>(declaration.node) && program != nullptr) {
    for (const typed::Stream& stream : program->streams) {
      if (stream.name == name) return stream_head(stream);
    }
  }
  std::string out = printer::signature(declaration);
  if (!std::holds_alternative<ast::ParamDecl>(declaration.node)) return out;
  for (const ast::Declaration& other : tree.declarations) {
    const auto* set = std::get_if<ast::SetDecl>(&other.node);
    if (set != nullptr && set->param.text == name) out += "\n" + printer::signature(other);
  }
  return out;
}

std::string section(std::string_view title, const std::string& text) {
  return text.empty() ? "" : fmt::format("## {}\n\n{}", title, text);
}

std::string document(std::string_view title, const ast::Program& tree, const typed::Program* program) {
  std::string out = fmt::format("# {}\n\n{}", title, heading(tree));
  std::string outputs;
  std::string tests;
  for (const ast::Declaration& declaration : tree.declarations) {
    if (const auto* test = std::get_if<ast::TestDecl>(&declaration.node)) {
      tests += "- " + test->name + "\n";
    } else if (std::holds_alternative<ast::EmitDecl>(declaration.node)) {
      outputs += block(printer::signature(declaration)) + prose(declaration.doc);
    } else if (const auto* route = std::get_if<ast::RouteDecl>(&declaration.node)) {
      std::string input = printer::signature(declaration);
      out += section("route " + route->input.parts.back().text, block(input) + prose(declaration.doc));
    } else if (std::string name = name_of(declaration); !name.empty()) {
      out += section(name, block(head_of(declaration, tree, program)) + prose(declaration.doc));
    }
  }
  out += section("Outputs", outputs) + section("Tests", tests);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace

Outcome<std::string> document_script(std::string_view text, std::string name, const CheckOptions& options) {
  CheckResult checked = check_script(text, name, options);
  if (!checked.fine) return Failure{Failure::Kind::Script, checked.text};
  source::SourceSet sources;
  diag::Engine diags;
  ast::Program tree = syntax::parse(sources, sources.add(name, std::string(text)), diags);
  modules::Reader modules(sources);
  sema::CheckOptions check;
  check.modules = &modules;
  auto program = sema::check(tree, diags, check);
  return document(name, tree, program ? &*program : nullptr);
}

std::optional<std::string> document_module(std::string_view name) {
  for (const modules::StdText& module : modules::std_texts()) {
    if (name != "std." + std::string(module.name)) continue;
    source::SourceSet sources;
    diag::Engine diags;
    ast::Program tree =
        syntax::parse(sources, sources.add(std::string(name), std::string(module.text)), diags);
    return document(name, tree, nullptr);
  }
  return std::nullopt;
}

std::vector<std::string> library_modules() {
  std::vector<std::string> out;
  for (const modules::StdText& module : modules::std_texts())
    out.push_back("std." + std::string(module.name));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mut
