// The tokens that can come at a place of the grammar, and where they lead. Rules that end without a caller on
// the stack end into all their callers, as in strong LL: the sets are never too small.
#pragma once
#include <antlr4-runtime.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace mut::grammar {

// A state of the grammar's automaton, and the states that its callers go on with, the innermost last.
using Place = std::pair<antlr4::atn::ATNState*, std::vector<antlr4::atn::ATNState*>>;

// Which test of precedence lies on the way to a token.
enum : int { no_precedence = 0, precedence_of_others = -1 };

struct Reached {
  std::set<int> precedences;  // no_precedence, precedence_of_others, or what the decision itself asks for
  std::set<Place> behind;     // the token
};

// Keys are types of tokens plus one, so that the end of the input is 0.
using Lookahead = std::map<size_t, Reached>;

Lookahead lookahead(const Place& from, const antlr4::atn::ATN& atn);

}  // namespace mut::grammar
