#include "compiler/typed/process.h"

#include "compiler/typed/program.h"

namespace mut::typed {

void for_each_expr(const std::vector<Statement>& body, const std::function<void(const Expr&)>& visit) {
  for (const Statement& statement : body) {
    if (statement.value) visit(*statement.value);
    for_each_expr(statement.then_body, visit);
    for_each_expr(statement.else_body, visit);
  }
}

void for_each_expr(const Process& process, const std::function<void(const Expr&)>& visit) {
  for (const ProcessState& state : process.states) visit(*state.initial);
  for_each_expr(process.on_event, visit);
  for (const ProcessTimer& timer : process.timers) for_each_expr(timer.body, visit);
}

std::string outline(const std::vector<Statement>& body) {
  std::string out = "{";
  for (const Statement& statement : body) {
    out += std::to_string(static_cast<int>(statement.kind)) + "." + std::to_string(statement.index);
    if (statement.kind == Statement::Kind::If)
      out += outline(statement.then_body) + outline(statement.else_body);
    out += ";";
  }
  return out + "}";
}

}  // namespace mut::typed
