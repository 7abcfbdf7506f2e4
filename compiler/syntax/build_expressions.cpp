// Operators: what binds what was decided by the grammar; here are the rules beyond it.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {
namespace {

using diag::Code;
using P = grammar::MutParser;
using source::Span;

// The type of the sign between the operands, 0 when there is none: literals, prefixes.
size_t operator_of(P::ExprContext* context) {
  if (context->children.size() < 3 || dynamic_cast<P::ExprContext*>(context->children[0]) == nullptr)
    return 0;
  auto* sign = dynamic_cast<antlr4::tree::TerminalNode*>(context->children[1]);
  return sign == nullptr ? 0 : sign->getSymbol()->getType();
}

bool is_arithmetic(size_t op) {
  return op == P::PLUS || op == P::MINUS || op == P::STAR || op == P::SLASH || op == P::PERCENT;
}

bool is_comparison(size_t op) {
  switch (op) {
    case P::EQUAL:
    case P::NOT_EQUAL:
    case P::LESS:
    case P::LESS_EQUAL:
    case P::GREATER:
    case P::GREATER_EQUAL:
    case P::TILDE:
    case P::IN:
    case P::NOT:  // `not in`
    case P::IS:
      return true;
    default:
      return false;
  }
}

ast::BinaryOp binary_op(size_t op) {
  switch (op) {
    case P::OR:
      return ast::BinaryOp::Or;
    case P::AND:
      return ast::BinaryOp::And;
    case P::EQUAL:
      return ast::BinaryOp::Equal;
    case P::NOT_EQUAL:
      return ast::BinaryOp::NotEqual;
    case P::LESS:
      return ast::BinaryOp::Less;
    case P::LESS_EQUAL:
      return ast::BinaryOp::LessEqual;
    case P::GREATER:
      return ast::BinaryOp::Greater;
    case P::GREATER_EQUAL:
      return ast::BinaryOp::GreaterEqual;
    case P::IN:
      return ast::BinaryOp::In;
    case P::NOT:
      return ast::BinaryOp::NotIn;
    case P::TILDE:
      return ast::BinaryOp::Matches;
    case P::PLUS:
      return ast::BinaryOp::Add;
    case P::MINUS:
      return ast::BinaryOp::Subtract;
    case P::STAR:
      return ast::BinaryOp::Multiply;
    case P::SLASH:
      return ast::BinaryOp::Divide;
    default:
      return ast::BinaryOp::Remainder;
  }
}

P::ExprContext* child_expr(P::ExprContext* context, size_t index) {
  return dynamic_cast<P::ExprContext*>(context->children[index]);
}

antlr4::tree::TerminalNode* child_sign(P::ExprContext* context, size_t index) {
  return dynamic_cast<antlr4::tree::TerminalNode*>(context->children[index]);
}

}  // namespace

ast::ExprPtr TreeBuilder::expr(P::ExprContext* context) {
  if (depth_ >= tree_depth_max) {
    if (!too_deep_) diags_.report(Code::NestedTooDeep, span(context), std::to_string(tree_depth_max));
    too_deep_ = true;
    return make<ast::Expr>(span(context), ast::NoneLit{});
  }
  ++depth_;
  auto out = std::make_unique<ast::Expr>(expr_node(context));
  --depth_;
  return out;
}

ast::ExprPtr TreeBuilder::range_allowed(P::ExprContext* context) {
  if (operator_of(context) != P::RANGE) return expr(context);
  return make<ast::Expr>(span(context),
                         ast::RangeExpr{expr(child_expr(context, 0)), expr(child_expr(context, 2))});
}

ast::Expr TreeBuilder::expr_node(P::ExprContext* context) {
  Span all = span(context);
  if (auto* inner = context->operand()) return operand(inner);
  if (context->FAT_ARROW() != nullptr) {
    auto expressions = context->expr();
    return {all, ast::Lambda{idents(context->name()), expr(expressions[0])}};
  }
  if (auto* prefix = child_sign(context, 0)) {
    auto operands = context->expr();
    switch (prefix->getSymbol()->getType()) {
      case P::MINUS:
        return {all, ast::Unary{ast::UnaryOp::Negate, expr(operands[0])}};
      case P::NOT:
        return {all, ast::Unary{ast::UnaryOp::Not, expr(operands[0])}};
      case P::IF:
        return {all, ast::If{expr(operands[0]), expr(operands[1]), expr(operands[2])}};
      default:
        return {all, ast::Try{expr(operands[0]), expr(operands[1])}};
    }
  }
  switch (operator_of(context)) {
    case P::DOT:
    case P::OPTIONAL_DOT:
      return member(context);
    case P::BRACKET_OPEN:
      return {all, ast::IndexAccess{expr(child_expr(context, 0)), expr(child_expr(context, 2))}};
    case P::AS:
      return {all, ast::Cast{expr(child_expr(context, 0)), type(context->type())}};
    case P::COALESCE:
      return coalesce(context);
    case P::RANGE:
      diags_.report(Code::UnexpectedToken, span(child_sign(context, 1)), "`..`", "an operator")
          .note("a range stands right of `in`, after `within`, in `match`, in `param` and as an argument");
      return {all, ast::RangeExpr{expr(child_expr(context, 0)), expr(child_expr(context, 2))}};
    case P::IS: {
      check_no_chain(context, 1);
      auto value = expr(child_expr(context, 0));
      if (context->SOME() != nullptr) return {all, ast::IsSome{std::move(value), ident(context->name(0))}};
      return {all, ast::IsNone{std::move(value), context->NOT() != nullptr}};
    }
    default:
      return binary(context);
  }
}

ast::Expr TreeBuilder::binary(P::ExprContext* context) {
  size_t op = operator_of(context);
  if (is_comparison(op)) check_no_chain(context, 1);
  P::ExprContext* right = child_expr(context, context->children.size() - 1);
  Span op_span = span(child_sign(context, 1));
  if (op == P::NOT) op_span = source::cover(op_span, span(child_sign(context, 2)));
  if (is_arithmetic(op) && operator_of(right) == P::AS) {
    diags_.report(Code::MixedCast, op_span)
        .mark(span(right))
        .note("`as` takes only what stands directly before it");
  }
  if (in_body_ && op == P::MINUS && places_.first_of_line(*child_sign(context, 1)->getSymbol())) {
    diags_.report(Code::LeadingMinus, op_span).note("a line end does not end an expression");
  }
  auto left_value = expr(child_expr(context, 0));
  bool range = op == P::IN || op == P::NOT;
  auto right_value = range ? range_allowed(right) : expr(right);
  return {span(context), ast::Binary{binary_op(op), op_span, std::move(left_value), std::move(right_value)}};
}

// `??` is read from the left and nests to the right: `a ?? (b ?? c)`.
ast::Expr TreeBuilder::coalesce(P::ExprContext* context) {
  std::vector<P::ExprContext*> operands;
  std::vector<Span> signs;
  P::ExprContext* left = context;
  while (operator_of(left) == P::COALESCE) {
    P::ExprContext* right = child_expr(left, 2);
    if (is_arithmetic(operator_of(right))) {
      diags_.report(Code::MixedCoalesce, span(child_sign(right, 1))).mark(span(right));
    }
    operands.push_back(right);
    signs.push_back(span(child_sign(left, 1)));
    left = child_expr(left, 0);
  }
  operands.push_back(left);
  if (depth_ + operands.size() > tree_depth_max) {
    if (!too_deep_) diags_.report(Code::NestedTooDeep, span(context), std::to_string(tree_depth_max));
    too_deep_ = true;
    return {span(context), ast::NoneLit{}};
  }
  depth_ += operands.size();
  auto out = expr(operands[0]);
  for (size_t i = 1; i < operands.size(); ++i) {
    auto first = expr(operands[i]);
    Span all = source::cover(first->span, out->span);
    out = make<ast::Expr>(
        all, ast::Binary{ast::BinaryOp::Coalesce, signs[i - 1], std::move(first), std::move(out)});
  }
  depth_ -= operands.size();
  return std::move(*out);
}

// `x.f`, `x?.f`, `x.f(a) over …`.
ast::Expr TreeBuilder::member(P::ExprContext* context) {
  bool optional = context->OPTIONAL_DOT() != nullptr;
  auto object = expr(child_expr(context, 0));
  antlr4::ParserRuleContext* name = context->anyName();
  if (name == nullptr) name = context->historyFunction();
  if (context->arguments() == nullptr) {
    return {span(context), ast::MemberAccess{std::move(object), ident(name), optional}};
  }
  if (optional) {
    diags_.report(Code::UnexpectedToken, span(child_sign(context, 1)), "`?.`",
                  "`.`: a call takes the value as it is");
  }
  ast::Call call;
  call.receiver = std::move(object);
  call.function = ident(name);
  arguments(context->arguments(), call.args, &call.filter);
  if (auto* clause = context->overClause()) call.history = over(clause);
  if (auto* clause = context->historyBy()) call.history = history_by(clause);
  return {span(context), std::move(call)};
}

void TreeBuilder::check_no_chain(P::ExprContext* context, size_t sign) {
  P::ExprContext* left = child_expr(context, 0);
  P::ExprContext* right = child_expr(context, context->children.size() - 1);
  bool chained = is_comparison(operator_of(left)) || (right != nullptr && is_comparison(operator_of(right)));
  if (!chained) return;
  auto report = diags_.report(Code::ComparisonChain, span(child_sign(context, sign)));
  report.note("write `a < b and b < c`");
  bool repeats = is_comparison(operator_of(left)) && right != nullptr && left->children.size() == 3 &&
                 child_expr(left, 2) != nullptr;
  if (!repeats) return;
  // Only the middle operand is missing; it is written again.
  Span at = span(left);
  report.fix({at.file, at.end, at.end}, fmt::format(" and {}", places_.text(span(child_expr(left, 2)))));
}

}  // namespace mut::syntax
