// The two places with statements: `process` and own aggregates.
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

ast::ProcessStage TreeBuilder::process_stage(P::ProcessStageContext* context) {
  bool outer = std::exchange(in_body_, true);
  ast::ProcessStage out;
  for (auto* clause : context->byClause()) {
    if (once(!out.by.empty(), clause)) out.by = by(clause);
  }
  for (auto* clause : context->ttlClause()) {
    if (once(out.ttl.has_value(), clause)) out.ttl = ttl(clause);
  }
  bool has_event = false;
  for (auto* item : context->processItem()) {
    if (item->EVENT() != nullptr) {
      if (once(has_event, span(item->EVENT()))) out.on_event = body(item->body());
      has_event = true;
    } else if (item->TIMER() != nullptr) {
      out.on_timer.push_back({ident(item->name()), body(item->body())});
    } else {
      state_variables(item->stateVariables(), out.state);
    }
  }
  in_body_ = outer;
  return out;
}

void TreeBuilder::state_variables(P::StateVariablesContext* context, std::vector<ast::StateVariable>& out) {
  for (auto* variable : context->stateVariable()) {
    ast::StateVariable& made = out.emplace_back();
    made.name = ident(variable->name(0));
    if (variable->WAS() != nullptr) made.was = ident(variable->name(1));
    made.type = type(variable->type());
    made.initial = expr(variable->expr());
  }
}

std::vector<ast::StatementPtr> TreeBuilder::body(P::BodyContext* context) {
  std::vector<ast::StatementPtr> out;
  for (auto* item : context->statement()) out.push_back(statement(item));
  return out;
}

ast::StatementPtr TreeBuilder::statement(P::StatementContext* context) {
  if (auto* condition = context->ifStatement()) return if_statement(condition);
  ast::Statement out;
  out.span = span(context);
  if (context->LET() != nullptr) {
    out.node = ast::LetStatement{ident(context->name()), expr(context->expr())};
  } else if (auto* row = context->record()) {
    out.node = ast::EmitStatement{std::make_unique<ast::Expr>(record(row))};
  } else if (context->ASSIGN() != nullptr) {
    out.node = ast::AssignStatement{ident(context->name()), expr(context->expr())};
  } else if (context->AT() != nullptr) {
    out.node = ast::TimerStatement{ident(context->name()), expr(context->expr())};
  } else {
    out.node = ast::CancelStatement{ident(context->name())};
  }
  return std::make_unique<ast::Statement>(std::move(out));
}

ast::StatementPtr TreeBuilder::if_statement(P::IfStatementContext* context) {
  ast::IfStatement out;
  if (depth_ >= tree_depth_max) {
    if (!too_deep_) diags_.report(Code::NestedTooDeep, span(context), std::to_string(tree_depth_max));
    too_deep_ = true;
    return make<ast::Statement>(span(context), ast::CancelStatement{});
  }
  ++depth_;
  out.condition = expr(context->expr());
  auto bodies = context->body();
  out.then_body = body(bodies[0]);
  out.has_else = context->ELSE() != nullptr;
  if (bodies.size() > 1) out.else_body = body(bodies[1]);
  if (auto* chained = context->ifStatement()) out.else_body.push_back(if_statement(chained));
  --depth_;
  return make<ast::Statement>(span(context), std::move(out));
}

ast::AggregateDecl TreeBuilder::aggregate_decl(P::AggregateDeclContext* context) {
  bool outer = std::exchange(in_body_, true);
  ast::AggregateDecl out;
  out.name = ident(context->name());
  out.params = parameters(context->parameters());
  out.result_type = type(context->type());
  if (auto* state = context->stateVariables()) state_variables(state, out.state);
  // Each list follows its word.
  auto& children = context->children;
  for (size_t i = 0; i + 1 < children.size(); ++i) {
    auto* list = dynamic_cast<P::StateAssignsContext*>(children[i + 1]);
    if (list == nullptr) continue;
    size_t word = dynamic_cast<antlr4::tree::TerminalNode*>(children[i])->getSymbol()->getType();
    assigns(list, word == P::ADD ? out.add : word == P::REMOVE ? out.remove : out.merge);
  }
  out.result = expr(context->expr());
  in_body_ = outer;
  return out;
}

void TreeBuilder::assigns(P::StateAssignsContext* context, std::vector<ast::AggregateAssign>& out) {
  for (auto* item : context->stateAssign()) out.push_back({ident(item->name()), expr(item->expr())});
}

}  // namespace mut::syntax
