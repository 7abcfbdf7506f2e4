// Types of the stages of one stream, from its head to its end.
#pragma once
#include <functional>
#include <span>

#include "compiler/sema/expr_checker.h"
#include "compiler/sema/operator_use.h"
#include "compiler/sema/stage_parts.h"

namespace mut::sema {

// The name of `users.name` is `name`; other expressions have none (rule 7.1).
std::string path_name(const ast::Expr& expr);

class StageChecker {
 public:
  // `declare_late` makes the stream of `late to NAME` and returns its index.
  using DeclareLate = std::function<int(const ast::Ident& name, typed::TypeRef type)>;
  // The checked right side of a join, or null after a report, and a number for it.
  using FindRight = std::function<std::pair<const typed::Stream*, int>(const ast::Ident& name)>;
  StageChecker(ExprChecker& exprs, diag::Engine& diags, DeclareLate declare_late, FindRight find_right)
      : exprs_(exprs),
        diags_(diags),
        declare_late_(std::move(declare_late)),
        find_right_(std::move(find_right)) {}

  // Appends the checked stages to `stream`, whose `type` is that of its head. False when a stage was
  // wrong so that what follows cannot be typed.
  bool check(std::span<const ast::Stage> stages, typed::Stream& stream);
  // Behind the stages of a table: keeps the newest row of each key.
  bool check_table(const ast::TableDecl& decl, const std::vector<ast::NamedExpr>* latest_by,
                   typed::Stream& stream);

 private:
  using Stage = typed::Stage;
  using TypeRef = typed::TypeRef;
  // What is written as one stage: a stage of the stream, or the use of an operator with those inside.
  struct Part {
    size_t first = 0;  // stages [first, last) of the stream
    size_t last = 0;
    std::string keyword;  // the operator's name
    Stage label;          // its label, with what belongs to it; else only a name
    bool is_use = false;
  };
  bool check_level(std::span<const ast::Stage> stages, typed::Stream& stream);
  bool check_stage(const ast::Stage& stage, typed::Stream& stream);
  static void take_label(const ast::Stage& stage, Stage& out);
  void name_parts(std::vector<Part>& parts, typed::Stream& stream);
  static void name_inside(const Part& part, Stage& stage);

  // Operators: operator_use.cpp.
  bool take_as_facts(const ast::OperatorStage& node, typed::Stream& stream);
  bool expand(const ast::OperatorStage& node, const ast::Stage& stage, typed::Stream& stream);
  const Homed<ast::OperatorDecl>* find_operator(const ast::OperatorStage& node);
  bool bind(const ast::OperatorStage& node, const ast::Stage& stage, OperatorUse& use);
  bool bind_value(OperatorUse::Argument& argument, const OperatorUse& use, TypeRef entered);
  std::optional<bool> keep_passed(const ast::Stage& written, Stage& stage, typed::Stream& stream);
  void follow(const Stage& stage);
  void push(Stage stage, typed::Stream& stream);
  void drop_copies(const OperatorUse& use, source::Span span, typed::Stream& stream);
  bool refuse(const ast::Stage& stage, const std::string& what);
  Scope event_scope(const Stage& stage, Place place) const;

  bool build(const ast::WhereStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::SelectStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::WithStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::WithoutStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::RenameStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::FlattenStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::DedupeStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::AggregateStage& node, const ast::Stage& stage, Stage& out);
  bool build(const ast::LimitStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::LatestStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::ThrottleStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::SampleStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::DelayStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::DebounceStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::SortStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::TopStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::MatchStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::ProcessStage& syntax, const ast::Stage& stage, Stage& out);
  bool build(const ast::JoinStage& node, const ast::Stage& stage, Stage& out);
  template <typename Other>
  bool build(const Other&, const ast::Stage& stage, Stage&) {
    return refuse(stage, "stage");
  }
  bool check_window(const std::optional<ast::Window>& written, Stage& out);
  bool check_count(const ast::Window& window, Stage& out);
  bool check_window_of_calls(const Stage& out);
  bool check_zone(const ast::Window& window, Stage& out);
  bool check_trigger_every(const ast::Trigger& trigger, typed::Stage& out);
  bool check_late_update(const ast::Late& late, typed::Stage& out);
  bool check_follows(const ast::AggregateStage& node, const ast::Stage& stage, Stage& out);
  bool check_triggers(const ast::AggregateStage& node, Stage& out);
  bool check_lookup(const ast::JoinStage& node, const ast::Stage& stage, Stage& out);
  bool check_lookup_keys(const ast::JoinStage& node, const typed::Stream& table, Stage& out);
  bool name_partner(const ast::JoinStage& node, const typed::Stream& right, Stage& out);
  bool check_span(const ast::Expr& expr, const char* what, int64_t& span);
  bool check_order(const std::vector<ast::SortKey>& keys, const Stage& stage, typed::Hold& hold);
  bool check_hold_window(const std::optional<ast::Window>& window, const ast::Stage& stage, Stage& out);
  bool check_measures(const ast::Stage& stage, const Stage& out);
  bool read_pattern(const ast::MatchStage& syntax, typed::Match& match, PatternScope& pattern);
  bool check_defines(const ast::MatchStage& syntax, typed::Match& match, PatternScope& pattern, Stage& out);
  bool check_bounds(const ast::MatchStage& syntax, const ast::Stage& stage, typed::Match& match);
  bool check_select(const ast::MatchStage& syntax, const ast::Stage& stage, PatternScope& pattern,
                    Stage& out);
  std::optional<int64_t> check_count(const ast::Expr& expr, const char* what);
  typed::ExprPtr key_number(typed::ExprPtr key);
  bool check_reach(const ast::JoinStage& node, const ast::Stage& stage, typed::Join& join);
  bool check_within(const ast::JoinStage& node, const ast::Stage& stage, typed::Join& join);
  bool check_on(const ast::JoinStage& node, const ast::Stage& stage, Stage& out);
  bool check_keys(const std::vector<ast::NamedExpr>& by, Stage& out);
  // A new item must have a type of its own: not a bare `none`.
  bool usable(const typed::ExprPtr& value) const;
  void narrow(const typed::Stage& where, typed::Stream& stream);

  ExprChecker& exprs_;
  diag::Engine& diags_;
  DeclareLate declare_late_;
  FindRight find_right_;
  typed::Stream* stream_ = nullptr;
  std::vector<OperatorUse*> uses_;  // around the stage that is checked, outermost first
};

}  // namespace mut::sema
