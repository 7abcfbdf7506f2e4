// The `match` stage and its patterns.
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

namespace {
// More turns than this are no pattern anybody reads, and each costs state per key.
constexpr uint64_t repeat_max = 10'000;
}  // namespace

ast::MatchStage TreeBuilder::match_stage(P::MatchStageContext* context) {
  ast::MatchStage out;
  auto& children = context->children;
  for (size_t i = 0; i < children.size(); ++i) {
    if (auto* keys = dynamic_cast<P::ByClauseContext*>(children[i])) {
      if (once(!out.by.empty(), keys)) out.by = by(keys);
      continue;
    }
    if (auto* terms = dynamic_cast<P::PatternContext*>(children[i])) {
      out.pattern = pattern(terms);
      continue;
    }
    auto* word = dynamic_cast<antlr4::tree::TerminalNode*>(children[i]);
    if (word == nullptr) continue;
    Span at = span(word);
    switch (word->getSymbol()->getType()) {
      case P::WITHIN:
        if (once(out.within != nullptr, at)) out.within = expr(dynamic_cast<P::ExprContext*>(children[++i]));
        break;
      case P::DEFINE:
        if (once(!out.define.empty(), at))
          out.define = named(dynamic_cast<P::NamedExprsContext*>(children[++i]));
        break;
      case P::SELECT:
        if (once(!out.select.empty(), at))
          out.select = named(dynamic_cast<P::NamedExprsContext*>(children[++i]));
        break;
      case P::LIMIT:
        if (once(out.limit != nullptr, at)) out.limit = expr(dynamic_cast<P::ExprContext*>(children[++i]));
        break;
      case P::PAST:
      case P::TO:
        if (!once(out.skip != ast::SkipPolicy::Default, at)) break;
        out.skip =
            word->getSymbol()->getType() == P::PAST ? ast::SkipPolicy::PastLast : ast::SkipPolicy::ToNext;
        break;
      default:
        break;
    }
  }
  return out;
}

ast::PatternTermPtr TreeBuilder::pattern(P::PatternContext* context) {
  auto sequences = context->patternSequence();
  if (sequences.size() == 1) return sequence(sequences[0]);
  ast::PatternChoice out;
  for (auto* option : sequences) out.options.push_back(sequence(option));
  return make<ast::PatternTerm>(span(context), std::move(out));
}

ast::PatternTermPtr TreeBuilder::sequence(P::PatternSequenceContext* context) {
  ast::PatternSequence out;
  antlr4::tree::TerminalNode* then = nullptr;  // waiting for its right side
  antlr4::tree::TerminalNode* negation = nullptr;
  for (auto* child : context->children) {
    if (auto* word = dynamic_cast<antlr4::tree::TerminalNode*>(child)) {
      bool is_then = word->getSymbol()->getType() == P::THEN;
      bool leads_nowhere = negation != nullptr || (is_then && (then != nullptr || out.parts.empty()));
      if (leads_nowhere) {
        diags_.report(Code::UnexpectedToken, span(word), is_then ? "`then`" : "`not`",
                      "the name of an event");
        continue;
      }
      (is_then ? then : negation) = word;
      continue;
    }
    if (!out.parts.empty()) {
      out.connectors.push_back(then != nullptr ? ast::Connector::Then : ast::Connector::Strict);
      out.then_after_not.back() = static_cast<char>(then != nullptr && out.negated.back() != 0);
    }
    out.parts.push_back(element(dynamic_cast<P::PatternElementContext*>(child)));
    out.negated.push_back(static_cast<char>(negation != nullptr));
    out.then_after_not.push_back(0);
    then = nullptr;
    negation = nullptr;
  }
  if (negation != nullptr) then = negation;
  if (then != nullptr) {
    bool is_then = then->getSymbol()->getType() == P::THEN;
    diags_.report(Code::PatternEnd, span(then), is_then ? "then" : "not")
        .note("an event that must not come is written `a then not x`");
  }
  bool plain = out.parts.size() == 1 && out.negated[0] == 0;
  if (plain) return std::move(out.parts[0]);
  return make<ast::PatternTerm>(span(context), std::move(out));
}

ast::PatternTermPtr TreeBuilder::element(P::PatternElementContext* context) {
  ast::PatternTermPtr term;
  if (auto* name = context->patternName()) {
    term = make<ast::PatternTerm>(span(name), ast::PatternName{ident(name)});
  } else {
    term = pattern(context->pattern());
  }
  auto* times = context->quantifier();
  if (times == nullptr) return term;

  ast::PatternRepeat out;
  out.text = places_.text(span(times));
  // `a??` is read as one sign by the lexer: optional and reluctant.
  out.reluctant =
      times->COALESCE() != nullptr || times->QUESTION().size() + (times->BRACE_OPEN() != nullptr) +
                                              (times->STAR() != nullptr) + (times->PLUS() != nullptr) >
                                          1;
  if (times->BRACE_OPEN() != nullptr) {
    auto numbers = times->NUMBER();
    auto bounded = [&](antlr4::tree::TerminalNode* node) {
      uint64_t count = whole_number(node);
      if (count <= repeat_max) return static_cast<uint32_t>(count);
      diags_.report(Code::UnexpectedToken, span(node), "so many turns",
                    "at most " + std::to_string(repeat_max));
      return static_cast<uint32_t>(repeat_max);
    };
    out.least = bounded(numbers[0]);
    if (numbers.size() > 1) out.most = bounded(numbers[1]);
    if (times->COMMA() == nullptr) out.most = out.least;
    if (out.most && (*out.most < out.least || *out.most == 0)) {
      diags_.report(Code::UnexpectedToken, span(times), "empty range of turns", "`{least,most}`");
    }
  } else {
    out.least = times->PLUS() != nullptr ? 1 : 0;
    if (times->STAR() == nullptr && times->PLUS() == nullptr) out.most = 1;
  }
  out.term = std::move(term);
  return make<ast::PatternTerm>(span(context), std::move(out));
}

}  // namespace mut::syntax
