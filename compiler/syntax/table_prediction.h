// Decides by the tables that are made from the grammar where they know, and by searching the grammar
// elsewhere.
#pragma once
#include <antlr4-runtime.h>

namespace mut::syntax {

// Belongs to one parser, whose decisions it makes as SLL would; not to be shared between threads.
class TablePrediction : public antlr4::atn::ParserATNSimulator {
 public:
  // Takes over what `before`, the parser's simulator until now, has learnt.
  TablePrediction(antlr4::Parser* parser, antlr4::atn::ParserATNSimulator& before);

  size_t adaptivePredict(antlr4::TokenStream* input, size_t decision,
                         antlr4::ParserRuleContext* context) override;
};

// What the tables say at that place of the input; 0: nothing.
size_t choose_by_tables(antlr4::Parser& parser, antlr4::TokenStream& input, size_t decision,
                        antlr4::ParserRuleContext* context);

}  // namespace mut::syntax
