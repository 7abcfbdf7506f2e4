// Types of the state and the statements of a `process` stage.
#pragma once
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

class ProcessChecker {
 public:
  ProcessChecker(ExprChecker& exprs, const typed::Stage& stage, std::string record_name)
      : exprs_(exprs), diags_(exprs.diags()), stage_(stage), record_name_(std::move(record_name)) {}

  // The stage has its keys. False after a report.
  bool check(const ast::ProcessStage& syntax, source::Span keyword, typed::Process& out);
  // The record of all `emit`s.
  typed::TypeRef row() const { return row_; }

 private:
  using Body = std::vector<typed::Statement>;

  bool check_states(const ast::ProcessStage& syntax, typed::Process& out);
  bool name_timers(const ast::ProcessStage& syntax, typed::Process& out);
  bool check_body(const std::vector<ast::StatementPtr>& statements, Scope& scope, Body& out);
  bool check(const ast::LetStatement& node, Scope& scope, typed::Statement& out);
  bool check(const ast::AssignStatement& node, Scope& scope, typed::Statement& out);
  bool check(const ast::IfStatement& node, Scope& scope, typed::Statement& out);
  bool check(const ast::EmitStatement& node, Scope& scope, typed::Statement& out);
  bool check(const ast::TimerStatement& node, Scope& scope, typed::Statement& out);
  bool check(const ast::CancelStatement& node, Scope& scope, typed::Statement& out);
  bool find_timer(const ast::Ident& name, typed::Statement& out);
  bool join_rows(const typed::Expr& row);
  // Every `emit` makes the same record.
  void convert_rows(Body& body);

  ExprChecker& exprs_;
  diag::Engine& diags_;
  const typed::Stage& stage_;
  std::string record_name_;
  typed::Process* process_ = nullptr;
  typed::TypeRef row_ = nullptr;
  source::Span first_row_;
};

}  // namespace mut::sema
