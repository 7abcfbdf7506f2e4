// The lexer of the grammar, which takes five thousand instructions for a word, with a short way for what most
// tokens are: words, whole numbers and signs outside of texts.
#pragma once
#include <MutLexer.h>

#include <string>

namespace mut::syntax {

// The tokens of the grammar's own lexer, but for their lines and columns, which are those of nothing.
class PlainLexer final : public grammar::MutLexer {
 public:
  // `characters` are those of `stream`.
  PlainLexer(antlr4::CharStream* stream, const std::u32string& characters)
      : MutLexer(stream), characters_(characters) {}

  std::unique_ptr<antlr4::Token> nextToken() override;

 private:
  // 0: the end.
  char32_t at(size_t index) const { return index < characters_.size() ? characters_[index] : 0; }
  // The type of the token that begins at `begin`; `end` lies behind it then. 0: the grammar's lexer has to be
  // asked.
  size_t plain(size_t begin, size_t& end) const;
  size_t word(size_t begin, size_t& end) const;
  size_t whole_number(size_t begin, size_t& end) const;

  const std::u32string& characters_;
};

}  // namespace mut::syntax
