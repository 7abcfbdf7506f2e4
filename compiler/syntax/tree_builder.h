// From ANTLR's tree to ours. One class, its methods in one file per part of the language.
#pragma once
#include <MutParser.h>

#include <string>
#include <unordered_map>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/token_reader.h"

namespace mut::syntax {

class TreeBuilder {
 public:
  using P = grammar::MutParser;
  using DocMap = std::map<const antlr4::Token*, std::vector<DocLine>>;

  // Documentation that was given to a declaration or field leaves `docs`.
  TreeBuilder(const Places& places, DocMap& docs, diag::Engine& diags)
      : places_(places), docs_(docs), diags_(diags) {}

  void edition(P::EditionContext* context, ast::Program& program);
  ast::Declaration declaration(P::DeclarationContext* context);

 private:
  // A tree this deep is refused: every later step walks it by recursion. Above 256, as brackets
  // and the operators in them both count here.
  static constexpr size_t tree_depth_max = 1024;

  // build_names.cpp: places, names, texts
  source::Span span(antlr4::ParserRuleContext* context) const;
  source::Span span(antlr4::tree::TerminalNode* node) const;
  ast::Ident ident(antlr4::ParserRuleContext* name) const;
  ast::Path path(P::PathContext* context) const;
  std::vector<ast::Ident> idents(const std::vector<P::NameContext*>& names) const;
  std::vector<std::string> docs_before(antlr4::ParserRuleContext* context);
  std::string plain_text(P::TextContext* context);
  void escape(std::string& out, std::string_view text, source::Span span, bool bytes);
  std::string escaped(std::string_view text, source::Span span, bool bytes);
  uint64_t whole_number(antlr4::tree::TerminalNode* node);

  // build_expressions.cpp
  ast::ExprPtr expr(P::ExprContext* context);
  ast::Expr expr_node(P::ExprContext* context);
  ast::Expr binary(P::ExprContext* context);
  ast::Expr coalesce(P::ExprContext* context);
  ast::Expr member(P::ExprContext* context);
  ast::ExprPtr range_allowed(P::ExprContext* context);
  void check_no_chain(P::ExprContext* context, size_t op);

  // build_operands.cpp
  ast::Expr operand(P::OperandContext* context);
  ast::Expr number(antlr4::tree::TerminalNode* node);
  ast::ExprPtr number_or_name(antlr4::tree::TerminalNode* number_node, P::NameContext* name);
  ast::Expr time(antlr4::tree::TerminalNode* node);
  ast::Expr text(P::TextContext* context);
  ast::Expr list(P::ListContext* context);
  ast::Expr record(P::RecordContext* context);
  ast::Expr stray_braces(P::StrayBracesContext* context);
  ast::Expr match(P::MatchExprContext* context);
  ast::Pattern arm_pattern(P::ArmPatternContext* context);
  ast::ExprPtr arm_value(P::ArmValueContext* context);
  void arguments(P::ArgumentsContext* context, std::vector<ast::Argument>& args, ast::ExprPtr* filter);
  ast::HistoryClause over(P::OverClauseContext* context);
  ast::HistoryClause history_by(P::HistoryByContext* context);
  std::vector<ast::ExprPtr> history_keys(P::HistoryKeysContext* context);
  ast::ExprPtr history_key(P::HistoryKeyContext* context);
  ast::ExprPtr history_ttl(P::HistoryTtlContext* context);

  // build_types.cpp
  ast::TypePtr type(P::TypeContext* context);
  ast::TypeExpr type_atom(P::TypeAtomContext* context);
  ast::FieldDecl field(P::FieldDeclContext* context);

  // build_stages.cpp
  ast::Pipeline pipeline(P::PipelineContext* context);
  ast::Stage stage(P::StageContext* context);
  ast::Label label(P::LabelContext* context);
  std::vector<ast::NamedExpr> named(P::NamedExprsContext* context);
  std::vector<ast::NamedExpr> by(P::ByClauseContext* context);
  std::vector<ast::SortKey> sort_keys(P::SortKeysContext* context);
  ast::Window window(P::WindowClauseContext* context);
  std::vector<ast::Trigger> triggers(P::TriggerClauseContext* context);
  ast::Late late(P::LateClauseContext* context);
  void stage_body(P::StageBodyContext* context, ast::Stage& out);
  ast::AggregateStage aggregate_stage(P::AggregateStageContext* context);
  ast::Ttl ttl(P::TtlClauseContext* clause);
  ast::JoinStage join_stage(P::JoinStageContext* context);
  ast::JoinStage lookup_stage(P::LookupStageContext* context);

  // build_patterns.cpp
  ast::MatchStage match_stage(P::MatchStageContext* context);
  ast::PatternTermPtr pattern(P::PatternContext* context);
  ast::PatternTermPtr sequence(P::PatternSequenceContext* context);
  ast::PatternTermPtr element(P::PatternElementContext* context);

  // build_process.cpp
  ast::ProcessStage process_stage(P::ProcessStageContext* context);
  void state_variables(P::StateVariablesContext* context, std::vector<ast::StateVariable>& out);
  std::vector<ast::StatementPtr> body(P::BodyContext* context);
  ast::StatementPtr statement(P::StatementContext* context);
  ast::StatementPtr if_statement(P::IfStatementContext* context);
  ast::AggregateDecl aggregate_decl(P::AggregateDeclContext* context);
  void assigns(P::StateAssignsContext* context, std::vector<ast::AggregateAssign>& out);
  void warn_leading_minus(P::ExprContext* context);

  // build_declarations.cpp
  std::vector<ast::Parameter> parameters(P::ParametersContext* context);
  ast::ConnectorExpr connector(P::ConnectorContext* context);
  ast::ImportDecl import_decl(P::ImportDeclContext* context);
  ast::ParamDecl param_decl(P::ParamDeclContext* context);
  ast::SourceDecl source_decl(P::SourceDeclContext* context);
  ast::TableDecl table_decl(P::TableDeclContext* context);
  ast::RouteDecl route_decl(P::RouteDeclContext* context);
  ast::EmitDecl emit_decl(P::EmitDeclContext* context);
  ast::MigrateDecl migrate_decl(P::MigrateDeclContext* context);
  ast::GuardDecl guard_decl(P::GuardDeclContext* context);

  // build_tests.cpp
  ast::TestDecl test_decl(P::TestDeclContext* context);
  ast::TestStep test_step(P::TestStepContext* context);
  ast::GivenStep given(P::GivenStepContext* context);
  void expect(P::ExpectStepContext* context, ast::TestStep& out);
  ast::SwapStep swap(P::SwapStepContext* context);
  void accept(P::SwapAcceptContext* context, ast::SwapStep& out);
  std::string refused_code(P::RefusedCodeContext* context);

  // Where a clause may be written once. True at the first; else reports the second.
  bool once(bool given, antlr4::ParserRuleContext* clause);
  bool once(bool given, source::Span clause);

  template <typename T, typename... Args>
  std::unique_ptr<T> make(Args&&... args) {
    return std::make_unique<T>(T{std::forward<Args>(args)...});
  }

  const Places& places_;
  DocMap& docs_;
  diag::Engine& diags_;
  size_t depth_ = 0;
  bool too_deep_ = false;  // reported once
  bool in_body_ = false;   // inside an aggregate's or process's statements
};

}  // namespace mut::syntax
