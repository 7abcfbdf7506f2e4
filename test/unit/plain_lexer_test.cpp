// The short way of the lexer against the lexer of the grammar: the same tokens of all scripts, and of what is
// left of them when characters are exchanged, left out and put in.
#include "compiler/syntax/plain_lexer.h"

#include <gtest/gtest.h>

#include <random>

#include "compiler/syntax/decode.h"
#include "parse_fixture.h"
#include "test/unit/all_scripts.h"

namespace mut::test {
namespace {

std::string tokens_of(grammar::MutLexer& lexer) {
  lexer.removeErrorListeners();
  std::ostringstream out;
  for (const auto& token : lexer.getAllTokens()) {
    out << lexer.getVocabulary().getSymbolicName(token->getType()) << ' ' << token->getChannel() << ' '
        << token->getStartIndex() << '-' << token->getStopIndex() << '\n';
  }
  return out.str();
}

std::string by_grammar(const std::string& text) {
  antlr4::ANTLRInputStream stream(text);
  grammar::MutLexer lexer(&stream);
  return tokens_of(lexer);
}

std::string by_plain(const std::string& text) {
  antlr4::ANTLRInputStream stream(text);
  const syntax::DecodedText decoded = syntax::decode(text);
  syntax::PlainLexer lexer(&stream, decoded.characters);
  return tokens_of(lexer);
}

TEST(PlainLexer, GivesTheTokensOfTheGrammar) {
  for (const char* text : {"",
                           " \t\r\n",
                           "1",
                           "1.",
                           "1.5",
                           "1..3",
                           "1.x",
                           "1e5",
                           "1e+5",
                           "1e+",
                           "1E-5x",
                           "10s",
                           "1_000",
                           "0x1e",
                           "1h30m",
                           "@2026-01-01",
                           "@a",
                           "@ 1",
                           "r\"a\"",
                           "r#\"a\"#",
                           "r #",
                           "rr\"a\"",
                           "b\"a\"",
                           "re\"a\"",
                           "re \"a\"",
                           "ab#",
                           "where",
                           "whereas",
                           "Where",
                           "_",
                           "_1",
                           "a__b",
                           "unchanged",
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "->",
                           "-",
                           "=>",
                           "==",
                           "===",
                           "=",
                           "!=",
                           "!",
                           "<=",
                           "<",
                           ">=",
                           ">>",
                           "?",
                           "??",
                           "???",
                           "?.",
                           "?..",
                           ".",
                           "..",
                           "...",
                           "/",
                           "//a",
                           "/*a*/",
                           "/*",
                           "///\n",
                           "~|+*%,;:",
                           "([{}])",
                           "}}",
                           "\"{a:b}\"",
                           "\"{ {a: 1} }\" : {",
                           "\"{f(x)[1]}\"}",
                           "\"a\nb",
                           "`a b`",
                           "`",
                           "\xC3\xA9",
                           "a\xC3\xA9",
                           "\xF0\x9F\x98\x80",
                           "\\",
                           "#",
                           "'a'",
                           "&&"})
    EXPECT_EQ(by_plain(text), by_grammar(text)) << text;
  size_t read = 0;
  for (const std::string& text : all_scripts()) {
    if (syntax::decode(text).bad_byte) continue;
    ++read;
    EXPECT_EQ(by_plain(text), by_grammar(text)) << text;
  }
  EXPECT_GT(read, 200U);
}

TEST(PlainLexer, GivesTheTokensOfTheGrammarWhereSomethingIsWrong) {
  const std::string signs = "\"{}()[]:.'`@#/*\\re1eE+-_ \n=<>?!";
  std::mt19937 random(7);
  for (const NamedScript& script : scripts) {
    const std::string text(script.text);
    for (int i = 0; i < 40 && !text.empty(); ++i) {
      std::string changed = text;
      for (int changes = 0; changes < 3; ++changes) {
        const size_t at = random() % changed.size();
        const char sign = signs[random() % signs.size()];
        switch (random() % 3) {
          case 0:
            changed[at] = sign;
            break;
          case 1:
            changed.insert(at, 1, sign);
            break;
          default:
            if (changed.size() > 1) changed.erase(at, 1);
        }
      }
      if (syntax::decode(changed).bad_byte) continue;
      ASSERT_EQ(by_plain(changed), by_grammar(changed)) << changed;
    }
  }
}

}  // namespace
}  // namespace mut::test
