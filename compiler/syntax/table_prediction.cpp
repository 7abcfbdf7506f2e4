#include "compiler/syntax/table_prediction.h"

#include "grammar/prediction/prediction_tables.h"

namespace mut::syntax {

using grammar::Choice;

TablePrediction::TablePrediction(antlr4::Parser* parser, antlr4::atn::ParserATNSimulator& before)
    : ParserATNSimulator(parser, before.atn, before.decisionToDFA, before.getSharedContextCache()) {}

size_t TablePrediction::adaptivePredict(antlr4::TokenStream* input, size_t decision,
                                        antlr4::ParserRuleContext* context) {
  size_t known = choose_by_tables(*parser, *input, decision, context);
  return known != 0 ? known : ParserATNSimulator::adaptivePredict(input, decision, context);
}

size_t choose_by_tables(antlr4::Parser& parser, antlr4::TokenStream& input, size_t decision,
                        antlr4::ParserRuleContext* context) {
  const Choice* choices = grammar::choices_of(decision);
  if (choices == nullptr) return 0;
  // The end of the input is type -1.
  const Choice& choice = choices[input.LA(1) + 1];
  if (choice.second != 0) return grammar::by_second(choice.second)[input.LA(2) + 1];
  if (choice.precedence == 0 || parser.precpred(context, choice.precedence)) return choice.alternative;
  return choice.otherwise;
}

}  // namespace mut::syntax
