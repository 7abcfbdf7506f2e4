// The tables of the parser against the search of the grammar: what they take makes the tree that the search
// makes, for scripts that use all of the language and for what is left of them without a token or with one
// that is wrong.
#include <MutLexer.h>
#include <MutParser.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "compiler/syntax/table_prediction.h"
#include "parse_fixture.h"
#include "test/unit/all_scripts.h"

namespace mut::test {
namespace {

using antlr4::atn::ParserATNSimulator;
using antlr4::atn::PredictionMode;
using grammar::MutLexer;
using grammar::MutParser;

// Counts what the tables decide.
class CountingPrediction : public syntax::TablePrediction {
 public:
  using TablePrediction::TablePrediction;
  size_t adaptivePredict(antlr4::TokenStream* input, size_t decision,
                         antlr4::ParserRuleContext* context) override {
    ++(syntax::choose_by_tables(*parser, *input, decision, context) != 0 ? known : searched);
    return TablePrediction::adaptivePredict(input, decision, context);
  }
  size_t known = 0, searched = 0;
};

struct Tokens {
  explicit Tokens(const std::string& text) : input(text), lexer(&input) {
    lexer.removeErrorListeners();
    for (auto& token : lexer.getAllTokens()) {
      if (token->getChannel() == antlr4::Token::DEFAULT_CHANNEL) all.push_back(std::move(token));
    }
  }
  antlr4::ANTLRInputStream input;
  MutLexer lexer;
  std::vector<std::unique_ptr<antlr4::Token>> all;
};

std::vector<std::unique_ptr<antlr4::Token>> copy_of(const Tokens& tokens) {
  std::vector<std::unique_ptr<antlr4::Token>> out;
  for (const auto& token : tokens.all) out.push_back(std::make_unique<antlr4::CommonToken>(token.get()));
  return out;
}

struct Outcome {
  std::optional<std::string> tree;  // none: the tokens do not fit
  size_t known = 0, searched = 0;
};

enum class By { Tables, Search };

Outcome parse_by(By way, std::vector<std::unique_ptr<antlr4::Token>> tokens) {
  antlr4::ListTokenSource source(std::move(tokens));
  antlr4::CommonTokenStream stream(&source);
  MutParser parser(&stream);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  CountingPrediction* counting = nullptr;
  if (way == By::Tables) {
    counting = new CountingPrediction(&parser, *parser.getInterpreter<ParserATNSimulator>());
    parser.setInterpreter(counting);
  }
  parser.getInterpreter<ParserATNSimulator>()->setPredictionMode(way == By::Tables ? PredictionMode::SLL
                                                                                   : PredictionMode::LL);
  Outcome out;
  try {
    out.tree = parser.script()->toStringTree(&parser);
  } catch (const antlr4::ParseCancellationException&) {
  }
  if (counting != nullptr) out.known = counting->known, out.searched = counting->searched;
  return out;
}

TEST(Prediction, MakesTheTreesOfTheSearch) {
  size_t scripts_read = 0, known = 0, searched = 0;
  for (const std::string& text : all_scripts()) {
    Tokens tokens(text);
    if (tokens.all.empty()) continue;
    Outcome by_tables = parse_by(By::Tables, copy_of(tokens));
    Outcome by_search = parse_by(By::Search, copy_of(tokens));
    EXPECT_EQ(by_tables.tree, by_search.tree) << text;
    scripts_read += by_tables.tree.has_value();
    known += by_tables.known, searched += by_tables.searched;
  }
  EXPECT_GT(scripts_read, 200u);
  // Else the tables are of little use.
  EXPECT_LT(searched * 50, known) << known << " decisions by tables, " << searched << " by search";
}

TEST(Prediction, TakesNothingThatTheSearchTakesOtherwise) {
  std::mt19937 random(7);
  size_t fit = 0, mended = 0;
  for (const NamedScript& script : scripts) {
    Tokens tokens{std::string(script.text)};
    for (int i = 0; i < 60; ++i) {
      auto changed = copy_of(tokens);
      size_t at = random() % changed.size();
      switch (random() % 3) {
        case 0:
          changed.erase(changed.begin() + at);
          break;
        case 1:
          std::swap(changed[at], changed[random() % changed.size()]);
          break;
        default:
          changed[at] = std::make_unique<antlr4::CommonToken>(tokens.all[random() % tokens.all.size()].get());
      }
      std::vector<std::unique_ptr<antlr4::Token>> again;
      for (const auto& token : changed) again.push_back(std::make_unique<antlr4::CommonToken>(token.get()));
      Outcome by_tables = parse_by(By::Tables, std::move(changed));
      Outcome by_search = parse_by(By::Search, std::move(again));
      if (by_tables.tree) EXPECT_EQ(*by_tables.tree, by_search.tree.value_or("does not fit"));
      fit += by_search.tree.has_value();
      mended += by_search.tree && !by_tables.tree;
    }
  }
  EXPECT_GT(fit, 20u);
  // The grammar is searched for those.
  EXPECT_LE(mended, fit / 10);
}

// What the tables guess wrong is searched for in the script as a whole: its pieces, cut at words in column 0,
// are none.
TEST(Prediction, SearchesTheWholeScriptWhereTheTablesGuessWrong) {
  for (const char* text :
       {"type R = { n: int, map: int }\nsource r: R = stdin()\n"
        "stream b = r | with z = match map { 1 -> 2, else -> 3 }\nemit b to stdout()\n"
        "test \"swap\" {\n  swap {\nstream b = r | with z = 4\nemit b to stdout()\n  }\n}\n",
        "type R = { n: int, test: int, map: int }\nsource r: R = stdin()\n"
        "stream a = r | with y = n +\ntest\n"
        "stream b = r | with z = match map { 1 -> 2, else -> 3 }\n",
        "type R = { n: int, map: string, at: time }\nsource r: R = stdin() time at\n"
        "stream b = r | process by map { state c: int = 0 on event { emit { c: c } } }\n"}) {
    Tokens tokens(text);
    EXPECT_FALSE(parse_by(By::Tables, copy_of(tokens)).tree) << "the tables guess right: " << text;
    EXPECT_EQ(Parsed(text).messages(), "") << text;
  }
}

}  // namespace
}  // namespace mut::test
