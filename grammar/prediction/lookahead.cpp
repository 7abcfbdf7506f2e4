#include "grammar/prediction/lookahead.h"

#include <atn/PrecedencePredicateTransition.h>
#include <atn/RuleStopState.h>
#include <atn/RuleTransition.h>
#include <atn/StarLoopEntryState.h>

#include <tuple>

namespace mut::grammar {
namespace {

using antlr4::atn::ATN;
using antlr4::atn::ATNState;
using antlr4::atn::Transition;

bool is_operator_loop(const ATNState* state) {
  const auto* loop = dynamic_cast<const antlr4::atn::StarLoopEntryState*>(state);
  return loop != nullptr && loop->isPrecedenceDecision;
}

class Walk {
 public:
  explicit Walk(const ATN& atn) : atn_(atn) {}

  // `own`: the next test of precedence is the one that the decision itself makes.
  void visit(const Place& place, int precedence, bool own) {
    if (!seen_.emplace(place, precedence, own).second) return;
    if (place.first->getStateType() == ATNState::RULE_STOP && !place.second.empty()) {
      Place caller{place.second.back(), {place.second.begin(), place.second.end() - 1}};
      visit(caller, precedence, own);
      return;
    }
    bool left = place.first->getStateType() == ATNState::RULE_STOP || is_operator_loop(place.first);
    for (Transition* way : place.first->transitions) follow(way, place, precedence, own && !left);
  }

  Lookahead found;

 private:
  void follow(Transition* way, const Place& place, int precedence, bool own) {
    switch (way->getSerializationType()) {
      case Transition::RULE: {
        Place called{way->target, place.second};
        called.second.push_back(static_cast<antlr4::atn::RuleTransition*>(way)->followState);
        return visit(called, precedence, own);
      }
      case Transition::PRECEDENCE: {
        int asked = static_cast<antlr4::atn::PrecedencePredicateTransition*>(way)->precedence;
        bool first = own && place.second.empty() && precedence == no_precedence;
        return visit({way->target, place.second}, first ? asked : precedence_of_others, own);
      }
      case Transition::EPSILON:
      case Transition::PREDICATE:
      case Transition::ACTION:
        return visit({way->target, place.second}, precedence, own);
      default:
        break;
    }
    for (ssize_t token = -1; token <= static_cast<ssize_t>(atn_.maxTokenType); ++token) {
      if (!way->matches(static_cast<size_t>(token), 1, atn_.maxTokenType) &&
          !(token < 0 && way->label().contains(token)))
        continue;
      Reached& reached = found[static_cast<size_t>(token + 1)];
      reached.precedences.insert(precedence);
      reached.behind.insert({way->target, place.second});
    }
  }

  const ATN& atn_;
  std::set<std::tuple<Place, int, bool>> seen_;
};

}  // namespace

Lookahead lookahead(const Place& from, const ATN& atn) {
  Walk walk(atn);
  walk.visit(from, no_precedence, true);
  return walk.found;
}

}  // namespace mut::grammar
