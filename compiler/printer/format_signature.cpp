#include <fmt/format.h>

#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/printer.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

// `result`: null for what gives no value.
void Formatter::callable(std::string_view word, const ast::Ident& name,
                         const std::vector<ast::Parameter>& params, const ast::TypePtr& result) {
  out_.text(fmt::format("{} {}", word, printer::spell(name)));
  parameters(params);
  if (!result) return;
  out_.text(" -> ");
  type(*result);
}

std::string Formatter::signature(const ast::Declaration& declaration_node) {
  out_.begin(0);
  std::visit(
      Overload{
          [&](const ast::FnDecl& node) { callable("fn", node.name, node.params, node.result); },
          [&](const ast::AggregateDecl& node) {
            callable("aggregate", node.name, node.params, node.result_type);
          },
          [&](const ast::OperatorDecl& node) { callable("operator", node.name, node.params, nullptr); },
          [&](const ast::ModelDecl& node) {
            callable(node.learner ? "learner" : "model", node.name, node.params, node.result);
          },
          [&](const ast::SourceDecl& node) {
            out_.text("source " + printer::spell(node.name) + ": ");
            type(*node.type);
          },
          [&](const auto&) { bare(declaration_node); },
      },
      declaration_node.node);
  out_.end();
  return out_.render();
}

std::string signature(const ast::Declaration& declaration) { return Formatter().signature(declaration); }

}  // namespace mut::printer
