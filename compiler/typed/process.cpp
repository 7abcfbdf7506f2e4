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

namespace {

void for_each_emit(const std::vector<Statement>& body, const std::function<void(const Expr&)>& visit) {
  for (const Statement& statement : body) {
    if (statement.kind == Statement::Kind::Emit) visit(*statement.value);
    for_each_emit(statement.then_body, visit);
    for_each_emit(statement.else_body, visit);
  }
}

}  // namespace

int key_of_field(const Stage& stage, size_t field) {
  const Process& process = *stage.process;
  auto is_key = [&](const Expr& row, size_t key) {
    if (row.kind != ExprKind::MakeRecord) return false;
    const Expr& value = *row.args[field];
    bool by_name = value.kind == ExprKind::Local && value.index == process.key_locals[key];
    return by_name || identity_text(value) == identity_text(*stage.keys[key]);
  };
  for (size_t key = 0; key < stage.keys.size(); ++key) {
    bool always = true;
    auto look = [&](const Expr& row) { always = always && is_key(row, key); };
    for_each_emit(process.on_event, look);
    for (const ProcessTimer& timer : process.timers) for_each_emit(timer.body, look);
    if (always) return static_cast<int>(key);
  }
  return -1;
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
