#include <fmt/format.h>

#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

void Formatter::test(const ast::Declaration& declaration_node, const ast::TestDecl& node) {
  out_.text("test " + quote(node.name) + " {");
  out_.begin_indent(2);
  for (const ast::TestStep& step : node.steps) {
    out_.hard_line();
    leading(step.span.begin);
    test_step(step);
    trailing(step.span.end);
  }
  dangling(declaration_node.span.end);
  out_.end_indent();
  out_.hard_line();
  out_.text("}");
}

void Formatter::test_step(const ast::TestStep& step) {
  std::visit(Overload{
                 [&](const ast::GivenStep& node) {
                   out_.text("given " + spell(node.source) + " ");
                   if (node.rows) expr(*node.rows);
                   if (node.text) out_.text("text " + spell_raw(*node.text));
                   if (!node.file) return;
                   out_.text("from " + quote(*node.file));
                   if (node.first) out_.text(fmt::format(" first {}", *node.first));
                   if (node.rest) out_.text(" rest");
                 },
                 [&](const ast::AtStep& node) {
                   out_.text("at ");
                   expr(*node.time);
                 },
                 [&](const ast::EndStep&) { out_.text("end"); },
                 [&](const ast::ExpectRowsStep& node) {
                   out_.text("expect " + spell(node.stream));
                   if (node.mode == ast::ExpectMode::InOrder) out_.text(" in order");
                   if (node.mode == ast::ExpectMode::Exactly) out_.text(" exactly");
                   out_.text(" ");
                   if (node.rows) expr(*node.rows);
                   if (node.file) out_.text("from " + quote(*node.file));
                 },
                 [&](const ast::ExpectPlanStep& node) {
                   list(
                       {"expect plan {", "}", true, false, step.span.end}, node.verdicts.size(),
                       [&](size_t) { return step.span; },
                       [&](size_t i) {
                         const auto& [cell, verdict] = node.verdicts[i];
                         out_.text(quote(cell) + ": " + spell(ast::Ident{verdict, {}}));
                       });
                 },
                 [&](const ast::ExpectRefusedStep& node) { out_.text("expect refused " + quote(node.code)); },
                 [&](const ast::ExpectUnchangedStep&) { out_.text("expect unchanged"); },
                 [&](const ast::SwapStep& node) { swap(node); },
                 [&](const ast::UndoStep&) { out_.text("undo"); },
             },
             step.node);
}

void Formatter::swap(const ast::SwapStep& node) {
  out_.text("swap");
  for (size_t i = 0; i < node.accept.size(); ++i) {
    out_.text((i == 0 ? " accept " : ", ") + spell(node.accept[i].verdict) + ": " +
              quote(node.accept[i].cell));
  }
  if (node.to_file) {
    out_.text(" to " + quote(*node.to_file));
  } else {
    bool many = node.changes.size() + node.without.size() > 1;
    auto next = [&] {
      if (many) {
        out_.hard_line();
      } else {
        out_.line();
      }
    };
    out_.text(" ");
    out_.begin(0);
    out_.text("{");
    out_.begin_indent(2);
    bool ended = false;
    for (const auto& change : node.changes) {
      next();
      leading(change->span.begin);
      declaration(*change);
      ended = trailing(change->span.end);
    }
    for (const ast::Ident& name : node.without) {
      next();
      leading(name.span.begin);
      out_.text("without " + spell(name));
    }
    out_.end_indent();
    if (ended) many = true;
    next();
    out_.text("}");
    out_.end();
  }
  if (node.expect_refused) out_.text(" expect refused " + quote(*node.expect_refused));
}

}  // namespace mut::printer
