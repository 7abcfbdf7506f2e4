// Places, names and texts of the tree.
#include <fmt/format.h>

#include "compiler/syntax/literals.h"
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

Span TreeBuilder::span(antlr4::ParserRuleContext* context) const {
  // A rule that took nothing has a stop before its start.
  if (context->stop == nullptr || context->stop->getStartIndex() < context->start->getStartIndex()) {
    Span at = places_.span(*context->start);
    return {at.file, at.begin, at.begin};
  }
  return places_.span(*context->start, *context->stop);
}

Span TreeBuilder::span(antlr4::tree::TerminalNode* node) const { return places_.span(*node->getSymbol()); }

ast::Ident TreeBuilder::ident(antlr4::ParserRuleContext* name) const {
  Span at = span(name);
  std::string_view text = places_.text(at);
  if (text.size() >= 2 && text.front() == '`') text = text.substr(1, text.size() - 2);
  return {std::string(text), at};
}

ast::Path TreeBuilder::path(P::PathContext* context) const {
  ast::Path out;
  out.span = span(context);
  out.parts.push_back(ident(context->name()));
  for (auto* part : context->anyName()) out.parts.push_back(ident(part));
  return out;
}

std::vector<ast::Ident> TreeBuilder::idents(const std::vector<P::NameContext*>& names) const {
  std::vector<ast::Ident> out;
  for (auto* name : names) out.push_back(ident(name));
  return out;
}

std::vector<std::string> TreeBuilder::docs_before(antlr4::ParserRuleContext* context) {
  std::vector<std::string> out;
  auto found = docs_.find(context->start);
  if (found == docs_.end()) return out;
  for (DocLine& line : found->second) out.push_back(std::move(line.text));
  docs_.erase(found);
  return out;
}

std::string TreeBuilder::plain_text(P::TextContext* context) {
  ast::Expr value = text(context);
  if (auto* plain = std::get_if<ast::StringLit>(&value.node)) return plain->value;
  diags_.report(Code::UnexpectedToken, span(context), "an interpolation", "plain text");
  return "";
}

// One `\…` as it stands in the script.
void TreeBuilder::escape(std::string& out, std::string_view text, Span span, bool bytes) {
  switch (text.size() > 1 ? text[1] : '\0') {
    case 'n':
      out += '\n';
      return;
    case 't':
      out += '\t';
      return;
    case 'r':
      out += '\r';
      return;
    case '0':
      out += '\0';
      return;
    case '\\':
    case '"':
      out += text[1];
      return;
    case 'u': {
      if (bytes || text.size() < 5 || text[2] != '{' || text.size() > 10) break;
      auto code_point = static_cast<uint32_t>(std::stoul(std::string(text.substr(3)), nullptr, 16));
      if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) break;
      append_utf8(out, code_point);
      return;
    }
    case 'x':
      if (!bytes || text.size() != 4) break;
      out +=
          static_cast<char>(static_cast<unsigned char>(std::stoul(std::string(text.substr(2)), nullptr, 16)));
      return;
    default:
      break;
  }
  auto report = diags_.report(Code::BadEscape, span, std::string(text));
  if (text == "\\{") report.fix(span, "{{");
  if (text == "\\}") report.fix(span, "}}");
  report.note(bytes ? R"(escapes are \n \t \r \0 \\ \" \xff)" : R"(escapes are \n \t \r \0 \\ \" \u{1F600})");
}

// The inside of `b"…"`; other texts come from the lexer piece by piece.
std::string TreeBuilder::escaped(std::string_view text, Span span, bool bytes) {
  std::string out;
  auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    size_t length = 2;
    if (text.substr(i).starts_with("\\x")) {
      while (length < 4 && i + length < text.size() && is_hex(text[i + length])) ++length;
    }
    auto begin = span.begin + static_cast<uint32_t>(i);
    escape(out, text.substr(i, length), {span.file, begin, begin + static_cast<uint32_t>(length)}, bytes);
    i += length - 1;
  }
  return out;
}

// Where the grammar wants a plain number: `first 500`, `a{2,4}`, `fresh 3`.
uint64_t TreeBuilder::whole_number(antlr4::tree::TerminalNode* node) {
  ast::Expr value = number(node);
  if (auto* whole = std::get_if<ast::IntLit>(&value.node)) return whole->value;
  diags_.report(Code::UnexpectedToken, value.span, fmt::format("`{}`", places_.text(value.span)),
                "a whole number");
  return 0;
}

bool TreeBuilder::once(bool given, antlr4::ParserRuleContext* clause) { return once(given, span(clause)); }

bool TreeBuilder::once(bool given, Span clause) {
  if (given) {
    std::string_view text = places_.text(clause);
    std::string word(text.substr(0, text.find_first_of(" \t\r\n(")));
    diags_.report(Code::ClauseTwice, clause, word);
  }
  return !given;
}

}  // namespace mut::syntax
