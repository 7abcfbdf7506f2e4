// Prints prediction_tables.cpp for the grammar. A decision is told by one token where only one alternative
// can begin with it, by two where only one can go on with the second. In the loop of the operators a token
// may be an operator of this expression or of one around it: precedence says which, and the loop is the first
// to take it.
#include <MutLexer.h>
#include <MutParser.h>
#include <atn/StarLoopEntryState.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "grammar/prediction/lookahead.h"
#include "grammar/prediction/prediction_tables.h"

namespace mut::grammar {
namespace {

using antlr4::atn::ATN;
using antlr4::atn::DecisionState;

// Two tokens behind which a third would decide: the first alternative is nearly always what was meant. Where
// it proves wrong (`match map { 1 -> 2 }` over a field of that name), the parse fails and the grammar is
// searched.
constexpr std::pair<size_t, size_t> likely[] = {{MutParser::MAP, MutParser::BRACE_OPEN},
                                                {MutParser::BRACE_OPEN, MutParser::ID},
                                                {MutParser::BY, MutParser::ID},
                                                {MutParser::TTL, MutParser::NUMBER}};

class Printer {
 public:
  explicit Printer(const ATN& atn) : atn_(atn) {}

  int print() {
    puts("#include \"grammar/prediction/prediction_tables.h\"\n\nnamespace mut::grammar {\nnamespace {\n");
    std::string rows;
    for (size_t i = 0; i < atn_.decisionToState.size(); ++i) {
      bool asks = print_decision(i);
      rows += asks ? "  choices_" + std::to_string(i) + ",\n" : "  nullptr,\n";
    }
    printf("const uint8_t seconds[][%zu] = {\n  {0},\n", atn_.maxTokenType + 2);
    for (const std::vector<uint8_t>& row : seconds_) {
      printf("  {");
      for (uint8_t alternative : row) printf("%d,", alternative);
      puts("},");
    }
    printf("};\n\nconst Choice* const rows[] = {\n%s};\n\n}  // namespace\n\n", rows.c_str());
    puts("const Choice* choices_of(size_t decision) { return rows[decision]; }");
    puts(
        "const uint8_t* by_second(uint8_t second) { return seconds[second]; }\n\n}  // namespace "
        "mut::grammar");
    // Row 0 says nothing, and a Choice has one byte for the number of a row.
    if (seconds_.size() < 256) return 0;
    fputs("print_prediction_tables: more than 255 rows of second tokens; Choice::second needs more bits\n",
          stderr);
    return 1;
  }

 private:
  // Whether the parser asks at that decision: it decides by one token itself where that is always enough.
  bool print_decision(size_t number) {
    DecisionState* state = atn_.decisionToState[number];
    std::vector<Lookahead> alternatives;
    for (antlr4::atn::Transition* way : state->transitions)
      alternatives.push_back(lookahead({way->target, {}}, atn_));
    std::vector<Choice> choices;
    for (size_t token = 0; token <= atn_.maxTokenType + 1; ++token)
      choices.push_back(choose(*state, alternatives, token));
    if (!std::any_of(choices.begin(), choices.end(),
                     [](const Choice& c) { return c.alternative > 0 || c.second > 0; }))
      return false;
    printf("const Choice choices_%zu[] = {", number);
    for (const Choice& c : choices)
      printf("{%d,%d,%d,%d},", c.alternative, c.precedence, c.otherwise, c.second);
    puts("};");
    return true;
  }

  Choice choose(const DecisionState& state, const std::vector<Lookahead>& alternatives, size_t token) {
    std::vector<size_t> fit;
    for (size_t i = 0; i < alternatives.size(); ++i) {
      if (alternatives[i].contains(token)) fit.push_back(i);
    }
    if (fit.empty()) return {};
    std::optional<int> asked = precedence(alternatives[fit[0]].at(token));
    if (!asked) return {};
    auto first = static_cast<uint8_t>(fit[0] + 1);
    if (fit.size() == 1) return {first, static_cast<uint8_t>(*asked), 0, 0};
    if (*asked > 0) return operator_choice(state, alternatives, token, fit, *asked);
    size_t others = 0;
    for (size_t i : fit) {
      const Reached& reached = alternatives[i].at(token);
      if (precedence(reached) != no_precedence) return {};
      if (i != fit[0] && goes_on_around(reached)) ++others;
    }
    if (others + 1 == fit.size() && !goes_on_around(alternatives[fit[0]].at(token))) return {first, 0, 0, 0};
    return {0, 0, 0, second(alternatives, token, fit)};
  }

  // The token is an operator of an expression around that the alternative ends. The first alternative is the
  // one that is taken of two that fit: `a.b` goes on with its path. Where that proves wrong, the parse fails
  // and the grammar is searched.
  static bool goes_on_around(const Reached& reached) {
    return reached.precedences == std::set<int>{precedence_of_others};
  }

  // An operator of this expression that is nothing but an operator of one around it otherwise.
  Choice operator_choice(const DecisionState& state, const std::vector<Lookahead>& alternatives, size_t token,
                         const std::vector<size_t>& fit, int asked) {
    const auto* loop = dynamic_cast<const antlr4::atn::StarLoopEntryState*>(&state);
    if (loop == nullptr || !loop->isPrecedenceDecision || fit != std::vector<size_t>{0, 1}) return {};
    if (!goes_on_around(alternatives[1].at(token))) return {};
    return {1, static_cast<uint8_t>(asked), 2, 0};
  }

  // What the decision itself asks for, no_precedence; nothing where it depends on the way.
  static std::optional<int> precedence(const Reached& reached) {
    std::set<int> all = reached.precedences;
    if (*all.rbegin() <= no_precedence) return no_precedence;
    return all.size() == 1 ? std::optional(*all.begin()) : std::nullopt;
  }

  // 0 where a second token tells nothing.
  uint8_t second(const std::vector<Lookahead>& alternatives, size_t token, const std::vector<size_t>& fit) {
    std::vector<uint8_t> row;
    for (size_t next = 0; next <= atn_.maxTokenType + 1; ++next) {
      std::set<size_t> inside, around;
      for (size_t i : fit) {
        for (const Place& place : alternatives[i].at(token).behind) {
          const Lookahead& tokens = tokens_at(place);
          auto found = tokens.find(next);
          if (found == tokens.end()) continue;
          (goes_on_around(found->second) ? around : inside).insert(i + 1);
        }
      }
      std::set<size_t> all = inside;
      all.insert(around.begin(), around.end());
      bool told =
          all.size() == 1 || (inside.size() == 1 && *inside.begin() == *all.begin()) ||
          (!all.empty() && std::ranges::find(likely, std::pair(token - 1, next - 1)) != std::end(likely));
      row.push_back(told ? static_cast<uint8_t>(*all.begin()) : 0);
    }
    if (std::all_of(row.begin(), row.end(), [](uint8_t a) { return a == 0; })) return 0;
    auto known = std::find(seconds_.begin(), seconds_.end(), row);
    if (known == seconds_.end()) known = seconds_.insert(known, row);
    return static_cast<uint8_t>(known - seconds_.begin() + 1);
  }

  const Lookahead& tokens_at(const Place& place) {
    auto [entry, made] = tokens_at_.try_emplace(place);
    if (made) entry->second = lookahead(place, atn_);
    return entry->second;
  }

  const ATN& atn_;
  std::vector<std::vector<uint8_t>> seconds_;
  std::map<Place, Lookahead> tokens_at_;
};

}  // namespace
}  // namespace mut::grammar

int main() {
  antlr4::ANTLRInputStream nothing("");
  mut::grammar::MutLexer lexer(&nothing);
  antlr4::CommonTokenStream tokens(&lexer);
  mut::grammar::MutParser parser(&tokens);
  return mut::grammar::Printer(parser.getATN()).print();
}
