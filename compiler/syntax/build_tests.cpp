#include <array>

#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;

ast::TestDecl TreeBuilder::test_decl(P::TestDeclContext* context) {
  ast::TestDecl out;
  out.name = plain_text(context->text());
  for (auto* step : context->testStep()) out.steps.push_back(test_step(step));
  return out;
}

ast::TestStep TreeBuilder::test_step(P::TestStepContext* context) {
  ast::TestStep out;
  out.span = span(context);
  if (auto* step = context->givenStep()) {
    out.node = given(step);
  } else if (auto* at = context->atStep()) {
    out.node = ast::AtStep{expr(at->expr())};
  } else if (context->endStep() != nullptr) {
    out.node = ast::EndStep{};
  } else if (auto* rows = context->expectStep()) {
    expect(rows, out);
  } else if (auto* change = context->swapStep()) {
    out.node = swap(change);
  } else {
    out.node = ast::UndoStep{};
  }
  return out;
}

ast::GivenStep TreeBuilder::given(P::GivenStepContext* context) {
  ast::GivenStep out;
  out.source = ident(context->name());
  if (auto* rows = context->list()) out.rows = std::make_unique<ast::Expr>(list(rows));
  if (context->TEXT_WORD() != nullptr) out.text = plain_text(context->text());
  if (context->FROM() != nullptr) out.file = plain_text(context->text());
  if (context->FIRST() != nullptr) out.first = whole_number(context->NUMBER());
  out.rest = context->REST() != nullptr;
  return out;
}

void TreeBuilder::expect(P::ExpectStepContext* context, ast::TestStep& out) {
  if (auto* code = context->refusedCode()) {
    out.node = ast::ExpectRefusedStep{refused_code(code)};
    return;
  }
  if (context->path() == nullptr) {
    if (context->UNCHANGED() != nullptr) {
      out.node = ast::ExpectUnchangedStep{};
      return;
    }
    ast::ExpectPlanStep plan;
    for (auto* line : context->verdict()) {
      plan.verdicts.emplace_back(plain_text(line->text()), ident(line->name()).text);
    }
    out.node = std::move(plan);
    return;
  }
  ast::ExpectRowsStep step;
  step.stream = path(context->path());
  bool given = false;
  for (auto* mode : context->expectMode()) {
    if (!once(given, mode)) continue;
    step.mode = mode->EXACTLY() != nullptr ? ast::ExpectMode::Exactly : ast::ExpectMode::InOrder;
    given = true;
  }
  if (auto* rows = context->list()) {
    step.rows = std::make_unique<ast::Expr>(list(rows));
  } else {
    step.file = plain_text(context->text());
  }
  out.node = std::move(step);
}

ast::SwapStep TreeBuilder::swap(P::SwapStepContext* context) {
  ast::SwapStep out;
  if (context->text() != nullptr) out.to_file = plain_text(context->text());
  for (auto* change : context->declaration()) {
    out.changes.push_back(std::make_unique<ast::Declaration>(declaration(change)));
  }
  out.without = idents(context->name());
  for (auto* consents : context->swapAccept()) accept(consents, out);
  if (auto* code = context->refusedCode()) out.expect_refused = refused_code(code);
  return out;
}

void TreeBuilder::accept(P::SwapAcceptContext* context, ast::SwapStep& out) {
  for (auto* consent : context->consent()) {
    out.accept.push_back({ident(consent->name()), plain_text(consent->text())});
  }
}

std::string TreeBuilder::refused_code(P::RefusedCodeContext* context) {
  if (context->text() != nullptr) return plain_text(context->text());
  return std::string(places_.text(span(context)));
}

}  // namespace mut::syntax
