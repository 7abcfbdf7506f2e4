// Runs the lexer, reports what is wrong with single tokens, and counts nesting before any
// recursion sees the script.
#pragma once
#include <antlr4-runtime.h>

#include <map>
#include <memory>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/source/source_set.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/decode.h"

namespace mut::syntax {

// From the lexer's character counts to spans of bytes.
class Places {
 public:
  Places(const source::SourceSet& sources, source::FileId file, const DecodedText& text)
      : sources_(sources), file_(file), text_(text) {}

  source::FileId file() const { return file_; }
  source::Span span(const antlr4::Token& token) const {
    // The end of the script is a token without characters: its stop lies before its start.
    return {file_, text_.byte_at(token.getStartIndex()), text_.byte_at(token.getStopIndex() + 1)};
  }
  source::Span span(const antlr4::Token& first, const antlr4::Token& last) const {
    return source::cover(span(first), span(last));
  }
  std::string_view text(const antlr4::Token& token) const { return sources_.text(span(token)); }
  std::string_view text(source::Span span) const { return sources_.text(span); }
  bool starts_line(const antlr4::Token& token) const;
  // Only blanks stand between the start of the line and the token.
  bool first_of_line(const antlr4::Token& token) const;

 private:
  const source::SourceSet& sources_;
  source::FileId file_;
  const DecodedText& text_;
};

struct DocLine {
  source::Span span;
  std::string text;
};

struct TokenList {
  std::vector<std::unique_ptr<antlr4::Token>> tokens;  // the last is the end of the script
  // Indexes into `tokens` before which something was refused; a syntax error near it is no news.
  std::vector<size_t> damaged;
  std::vector<ast::Comment> comments;
  std::map<const antlr4::Token*, std::vector<DocLine>> docs;  // `///` lines by the token after them
  bool complete = true;  // false: too many or too deep tokens, the rest was not read
};

class TokenReader {
 public:
  TokenReader(const DecodedText& text, const Places& places, diag::Engine& diags);
  ~TokenReader();
  TokenList read();
  antlr4::TokenSource* source();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mut::syntax
