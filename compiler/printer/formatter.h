// The canonical style. One class, its methods in one file per part of the language.
//
// Comments are not in the tree: each is printed before the first thing that stands behind it, or
// at the end of the line of the thing it followed. A comment within an expression moves behind it.
#pragma once
#include <functional>

#include "compiler/printer/layout.h"
#include "compiler/source/source_set.h"
#include "compiler/syntax/ast.h"

namespace mut::printer {

class Formatter {
 public:
  // Without comments: for a piece of a program that is printed by itself.
  Formatter() = default;
  Formatter(const std::vector<ast::Comment>& comments, std::string_view text)
      : comments_(&comments), text_(text) {}

  std::string program(const ast::Program& program);
  std::string signature(const ast::Declaration& declaration);

 private:
  using Span = source::Span;

  // format_comments.cpp
  bool comment_waits(uint32_t before) const;
  void leading(uint32_t before, bool keep_blank_lines = false);
  bool trailing(uint32_t item_end);
  void dangling(uint32_t before);
  bool blank_line_before(uint32_t offset) const;
  uint32_t docs_begin(uint32_t declaration_begin) const;
  void docs(const std::vector<std::string>& lines);
  struct ListStyle {
    std::string_view open, close;
    bool spaced = false;        // `{ a }`, not `[a]`
    bool one_each = false;      // always one item a line
    uint32_t end = UINT32_MAX;  // where the list ends in the script; comments before it stay inside
  };
  // Items in brackets; a comma ends the last when they stand on lines of their own.
  void list(const ListStyle& style, size_t count, const std::function<Span(size_t)>& span,
            const std::function<void(size_t)>& print);
  // Items without brackets.
  void series(size_t count, const std::function<Span(size_t)>& span,
              const std::function<void(size_t)>& print);

  // format_expressions.cpp
  void expr(const ast::Expr& expr);
  void binary(const ast::Binary& node);
  void call(const ast::Call& node);
  void match(const ast::Expr& expr, const ast::Match& node);
  void interpolation(const ast::Interpolation& node);
  void arguments(const std::vector<ast::Argument>& args, const ast::ExprPtr& filter);
  void history(const ast::HistoryClause& clause);
  void pattern(const ast::Pattern& pattern);
  void type(const ast::TypeExpr& type);
  void field(const ast::FieldDecl& field);

  // format_stages.cpp
  void pipeline(const ast::Pipeline& pipeline);
  void stages(const std::vector<ast::Stage>& stages, bool ended);
  void stage(const ast::Stage& stage);
  void label(const ast::Label& label);
  void named(const ast::NamedExpr& item);
  void named_list(const std::vector<ast::NamedExpr>& items);
  void by(const std::vector<ast::NamedExpr>& keys);
  void sort_keys(const std::vector<ast::SortKey>& keys);
  void sort_key(const ast::SortKey& key);
  void window(const std::optional<ast::Window>& window);
  void aggregate(const ast::AggregateStage& node);
  void join(const ast::JoinStage& node);
  void match_stage(const ast::MatchStage& node);
  void pattern_term(const ast::PatternTerm& term, bool in_sequence);
  void ttl(const ast::Ttl& node);
  void process(const ast::ProcessStage& node);
  void state_variable(const ast::StateVariable& variable);
  void body(const std::vector<ast::StatementPtr>& statements);
  void statement(const ast::Statement& statement);

  // format_declarations.cpp
  void declaration(const ast::Declaration& declaration);
  void bare(const ast::Declaration& declaration);  // without its comment
  void parameters(const std::vector<ast::Parameter>& params);
  void connector(const ast::ConnectorExpr& connector);
  void clauses(const std::vector<std::function<void()>>& clauses);
  void source(const ast::SourceDecl& node);
  void table(const ast::TableDecl& node);
  void aggregate_decl(const ast::AggregateDecl& node);
  void route(const ast::Declaration& declaration, const ast::RouteDecl& node);
  void was(const std::optional<ast::Ident>& old_name);

  // format_signature.cpp
  void callable(std::string_view word, const ast::Ident& name, const std::vector<ast::Parameter>& params,
                const ast::TypePtr& result);

  // format_tests.cpp
  void test(const ast::Declaration& declaration, const ast::TestDecl& node);
  void test_step(const ast::TestStep& step);
  void swap(const ast::SwapStep& node);

  Layout out_;
  const std::vector<ast::Comment>* comments_ = nullptr;
  std::string_view text_;
  size_t next_comment_ = 0;
};

}  // namespace mut::printer
