// The tree as indented lines. Spans are left out: two scripts that mean the same dump the same.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "compiler/syntax/ast.h"

namespace mut::printer {

class Dumper {
 public:
  std::string program(const ast::Program& program);

 private:
  // dump_expressions.cpp
  void line(std::string_view text);
  void node(std::string_view text, const std::function<void()>& children);
  void expr(std::string_view role, const ast::ExprPtr& value);
  void expr(const ast::Expr& value);
  void call(const ast::Call& value);
  void arguments(const std::vector<ast::Argument>& args);
  void pattern(const ast::Pattern& value);
  void type(std::string_view role, const ast::TypePtr& value);
  void type(const ast::TypeExpr& value);

  // dump_stages.cpp
  void pipeline(const ast::Pipeline& value);
  void stage(const ast::Stage& value);
  void label(const ast::Label& value);
  void named(std::string_view role, const std::vector<ast::NamedExpr>& items);
  void keys(std::string_view role, const std::vector<ast::SortKey>& items);
  void window(const std::optional<ast::Window>& value);
  void ttl(const std::optional<ast::Ttl>& value);
  void aggregate(const ast::AggregateStage& value);
  void join(const ast::JoinStage& value);
  void match(const ast::MatchStage& value);
  void term(const ast::PatternTerm& value);
  void process(const ast::ProcessStage& value);
  void state(const std::vector<ast::StateVariable>& variables);
  void statements(std::string_view role, const std::vector<ast::StatementPtr>& body);
  void statement(const ast::Statement& value);

  // dump_declarations.cpp
  void declaration(const ast::Declaration& value);
  void parameters(const std::vector<ast::Parameter>& params);
  void connector(const ast::ConnectorExpr& value);
  void source(const ast::SourceDecl& value);
  void table(const ast::TableDecl& value);
  void test_step(const ast::TestStep& value);

  std::string out_;
  size_t depth_ = 0;
};

}  // namespace mut::printer
