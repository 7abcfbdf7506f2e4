// What a decision of the parser takes, by the one or two tokens that it sees: made from the grammar when the
// project is built (print_tables.cpp), so that a process does not search the grammar at each decision it
// meets first.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mut::grammar {

// For one token. Nothing is said where `alternative` and `second` are 0: then the grammar has to be searched.
struct Choice {
  uint8_t alternative;  // from 1 on
  uint8_t precedence;   // of the operator that the token is; 0: it is none
  uint8_t otherwise;    // what is taken where the operator binds too loosely to go on
  uint8_t second;       // the row of `by_second` to look in
};

// One for each type of token, the end of the input first; null where the parser asks nothing, or nothing is
// known. `decision` must be one of the parser.
const Choice* choices_of(size_t decision);

// The alternative by the token behind, in the same order; 0: not known. `second` must be one of a Choice, not
// 0.
const uint8_t* by_second(uint8_t second);

}  // namespace mut::grammar
