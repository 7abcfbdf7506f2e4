// Stages that hold more than expressions: `match` with its pattern, `process` with its statements.
#include <fmt/format.h>

#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

void Formatter::match_stage(const ast::MatchStage& node) {
  out_.text("match");
  by(node.by);
  if (node.within) {
    out_.text(" within ");
    expr(*node.within);
  }
  out_.text(" pattern ");
  pattern_term(*node.pattern, false);
  auto clause = [&](std::string_view word, const std::vector<ast::NamedExpr>& items) {
    if (items.empty()) return;
    out_.hard_line();
    leading(items[0].span.begin);
    out_.begin(static_cast<int>(word.size()));
    out_.text(word);
    named_list(items);
    out_.end();
  };
  clause("define ", node.define);
  clause("select ", node.select);
  if (node.skip != ast::SkipPolicy::Default) {
    out_.hard_line();
    out_.text(node.skip == ast::SkipPolicy::PastLast ? "after skip past last" : "after skip to next");
  }
  if (!node.limit) return;
  out_.hard_line();
  out_.text("limit ");
  expr(*node.limit);
}

// In a sequence, and before a quantifier, whatever is more than a name stands in parentheses.
void Formatter::pattern_term(const ast::PatternTerm& term, bool in_sequence) {
  if (const auto* name = std::get_if<ast::PatternName>(&term.node)) {
    out_.text(spell(name->name, NamePlace::Pattern));
    return;
  }
  if (const auto* repeat = std::get_if<ast::PatternRepeat>(&term.node)) {
    // `a{2}{3}` cannot be written: the inner repetition is a group.
    bool nested = std::holds_alternative<ast::PatternRepeat>(repeat->term->node);
    if (nested) out_.text("(");
    pattern_term(*repeat->term, !nested);
    if (nested) out_.text(")");
    std::string most = repeat->most ? std::to_string(*repeat->most) : "";
    std::string times = repeat->least == 0 && !repeat->most        ? "*"
                        : repeat->least == 1 && !repeat->most      ? "+"
                        : repeat->least == 0 && *repeat->most == 1 ? "?"
                        : repeat->most && *repeat->most == repeat->least
                            ? fmt::format("{{{}}}", repeat->least)
                            : fmt::format("{{{},{}}}", repeat->least, most);
    out_.text(times + (repeat->reluctant ? "?" : ""));
    return;
  }
  if (in_sequence) out_.text("(");
  if (const auto* choice = std::get_if<ast::PatternChoice>(&term.node)) {
    for (size_t i = 0; i < choice->options.size(); ++i) {
      if (i > 0) out_.text(" or ");
      bool group = std::holds_alternative<ast::PatternChoice>(choice->options[i]->node);
      pattern_term(*choice->options[i], group);
    }
  } else {
    const auto& sequence = std::get<ast::PatternSequence>(term.node);
    for (size_t i = 0; i < sequence.parts.size(); ++i) {
      if (i > 0) out_.text(sequence.connectors[i - 1] == ast::Connector::Then ? " then " : " ");
      if (sequence.negated[i] != 0) out_.text("not ");
      pattern_term(*sequence.parts[i], true);
    }
  }
  if (in_sequence) out_.text(")");
}

void Formatter::process(const ast::ProcessStage& node) {
  out_.text("process");
  by(node.by);
  if (node.ttl) {
    out_.text(" ttl ");
    ttl(*node.ttl);
  }
  out_.text(" {");
  auto item = [&](std::string_view head) {
    out_.hard_line();
    out_.text(head);
  };
  if (!node.state.empty()) {
    out_.hard_line();
    leading(node.state[0].name.span.begin);
    out_.begin(6);
    out_.text("state ");
    series(
        node.state.size(),
        [&](size_t i) { return cover(node.state[i].name.span, node.state[i].initial->span); },
        [&](size_t i) { state_variable(node.state[i]); });
    out_.end();
    trailing(node.state.back().initial->span.end);
  }
  if (!node.on_event.empty()) {
    item("on event ");
    body(node.on_event);
  }
  for (const ast::TimerHandler& handler : node.on_timer) {
    item("on timer " + spell(handler.name) + " ");
    body(handler.body);
  }
  out_.begin_indent(-2);  // the brace stands under the `|` of its stage, two to the right
  out_.hard_line();
  out_.text("}");
  out_.end_indent();
}

void Formatter::state_variable(const ast::StateVariable& variable) {
  out_.text(spell(variable.name));
  if (variable.was) out_.text(" was " + spell(*variable.was));
  out_.text(": ");
  type(*variable.type);
  out_.text(" = ");
  expr(*variable.initial);
}

void Formatter::body(const std::vector<ast::StatementPtr>& statements) {
  if (statements.empty()) {
    out_.text("{}");
    return;
  }
  out_.text("{");
  out_.begin(2);
  for (const ast::StatementPtr& one : statements) {
    out_.hard_line();
    leading(one->span.begin);
    statement(*one);
    trailing(one->span.end);
  }
  out_.end();
  out_.hard_line();
  out_.text("}");
}

void Formatter::statement(const ast::Statement& node) {
  std::visit(Overload{
                 [&](const ast::AssignStatement& one) {
                   out_.text(spell(one.name) + " = ");
                   expr(*one.value);
                 },
                 [&](const ast::LetStatement& one) {
                   out_.text("let " + spell(one.name) + " = ");
                   expr(*one.value);
                   out_.text(";");
                 },
                 [&](const ast::IfStatement& one) {
                   out_.text("if ");
                   expr(*one.condition);
                   out_.text(" ");
                   body(one.then_body);
                   if (!one.has_else) return;
                   out_.text(" else ");
                   bool chained = one.else_body.size() == 1 &&
                                  std::holds_alternative<ast::IfStatement>(one.else_body[0]->node);
                   if (chained) {
                     statement(*one.else_body[0]);
                   } else {
                     body(one.else_body);
                   }
                 },
                 [&](const ast::EmitStatement& one) {
                   out_.text("emit ");
                   expr(*one.record);
                 },
                 [&](const ast::TimerStatement& one) {
                   out_.text("timer " + spell(one.name) + " at ");
                   expr(*one.at);
                 },
                 [&](const ast::CancelStatement& one) { out_.text("cancel " + spell(one.name)); },
             },
             node.node);
}

}  // namespace mut::printer
