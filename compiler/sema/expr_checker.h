// Types of expressions. One checker serves one place of the script (a stage, a route, a const).
#pragma once
#include <set>
#include <string>
#include <vector>

#include "compiler/sema/names.h"

namespace mut::regex {
class Regex;
}

namespace mut::sema {

// The type as it stands in a message.
inline std::string quoted(typed::TypeRef type) { return "`" + type->text + "`"; }

// typed::Stream::follows of a merge of several tables, or of one and facts.
inline constexpr char several_tables[] = "*";

// Where an expression stands: what it may use.
enum class Place : uint8_t {
  Constant,       // const, param, options: no fields
  Event,          // fields of an event, no history
  EventHistory,   // with, where, select
  AggregateItem,  // keys and aggregates of a group
  AggregateArgument,
  Generate,  // fields and seeded draws
  Pattern,   // define and select of a match: names of its events
};

// Events that a pattern binds, as the expressions of its stage see them.
struct BoundName {
  std::string name;
  bool repeated = false;
  bool optional = false;  // it may be left out
};
struct PatternScope {
  std::vector<BoundName> names;  // of steps, then those that stand after `not` alone
  size_t steps = 0;
  int current = -1;  // define: whose condition it is, so that only names up to this one are known
  std::vector<typed::AggregateCall>* measures = nullptr;
  std::vector<int>* measure_names = nullptr;
  bool has_event = true;  // define: plain names are fields of the event that is looked at
  int find(const std::string& name) const;
};
// What an argument of a measure was found to be about.
struct MeasureArgument {
  int name = -1;
  bool several = false;
  bool plain_field = false;
};

struct LocalName {
  std::string name;
  int index = -1;
  typed::TypeRef type = nullptr;
};

// What names mean at one place. Collects what expressions need of their stage.
struct Scope {
  Place place = Place::Constant;
  typed::TypeRef record = nullptr;  // fields that can be named; null: none
  // Inside what an operator was passed: `record` is that of its caller, and these are the places of its
  // fields in the record that is here now.
  const std::vector<int>* places = nullptr;
  typed::TypeRef here = nullptr;
  std::string record_name;        // for messages: "stream `payments`"
  std::vector<LocalName> locals;  // innermost last
  std::vector<LocalName> beyond;  // bound around an aggregate or a history: not known when it sees an event
  typed::TypeRef left_behind = nullptr;  // on timer: the record whose fields are not known any more
  std::set<std::string> siblings;        // fields made by other items of the same `with`
  std::string cell;                      // prefix of the cells found here: "usual", "where"
  std::vector<typed::History>* histories = nullptr;         // EventHistory
  std::vector<typed::AggregateCall>* aggregates = nullptr;  // AggregateItem
  const std::vector<typed::ExprPtr>* keys = nullptr;        // AggregateItem
  const std::vector<std::string>* key_names = nullptr;      // AggregateItem
  PatternScope* pattern = nullptr;                          // Pattern
  MeasureArgument* measured = nullptr;                      // inside an argument of a measure
  bool closing_window = false;       // AggregateItem: what is kept of a group goes when its window has closed
  bool may_be_empty_window = false;  // AggregateItem: no aggregate sees an empty group, so false
};

struct OperatorUse;

// An aggregate of the script while one call of it is checked.
struct OwnUse {
  source::Span span;
  std::vector<LocalName> event;  // its parameters
  std::vector<LocalName> fixed;  // those that are the same for all events
  std::vector<LocalName> states;
  std::shared_ptr<typed::OwnAggregate> made;
};

class ExprChecker {
 public:
  ExprChecker(const Names& names, const std::vector<typed::Param>& params, typed::TypeTable& types,
              diag::Engine& diags, int& local_count)
      : names_(&names), params_(params), types_(types), diags_(diags), local_count_(local_count) {}

  // Where names are looked up: in the script, or in the body of an operator.
  struct Context {
    const Names* names = nullptr;
    const OperatorUse* use = nullptr;  // null: no operator
  };
  Context context() const { return {names_, use_}; }
  void set_context(Context context) {
    names_ = context.names;
    use_ = context.use;
  }

  // `hint` is the type that the place wants, or null: literals take it (rule 3.1).
  typed::ExprPtr check(const ast::Expr& expr, Scope& scope, typed::TypeRef hint = nullptr);
  // Checks and converts to `target`; reports when it does not fit.
  typed::ExprPtr check_as(const ast::Expr& expr, Scope& scope, typed::TypeRef target);
  typed::ExprPtr check_condition(const ast::Expr& expr, Scope& scope);
  typed::ExprPtr coerce(typed::ExprPtr expr, typed::TypeRef target);
  // A value known at compile time, of type `target` when given.
  std::optional<ConstValue> check_constant(const ast::Expr& expr, typed::TypeRef target = nullptr);

  // An aggregate by itself, so that a wrong one is told about also when nobody calls it.
  void check_own_alone(const ast::AggregateDecl& decl);
  // The regular expression that is written there. Null after a report.
  std::shared_ptr<const regex::Regex> check_regex(const ast::Expr& expr);

  // A value made of the events that a pattern has bound to the name of that number.
  typed::ExprPtr add_measure(typed::AggregateCall call, int name, PatternScope& pattern, source::Span span);
  // The one type both can become, or null.
  typed::TypeRef unify(typed::TypeRef a, typed::TypeRef b);
  bool converts(typed::TypeRef from, typed::TypeRef to) const;
  // A decimal as a key of the other decimal type: none where it has digits that this has not.
  typed::ExprPtr as_key(typed::ExprPtr expr, typed::TypeRef target);
  typed::TypeRef type(typed::Kind kind) const { return types_.scalar(kind); }
  typed::TypeTable& types() { return types_; }
  diag::Engine& diags() { return diags_; }
  const Names& names() const { return *names_; }
  int& local_count() { return local_count_; }
  // The module that an expression names, unless something nearer has that name; null: none.
  const Names* module_of(const ast::Expr* expr, const Scope& scope) const;

 private:
  friend struct CallChecker;
  using Expr = typed::Expr;
  using ExprPtr = typed::ExprPtr;
  using TypeRef = typed::TypeRef;

  ExprPtr make(typed::ExprKind kind, TypeRef type, source::Span span) const;
  ExprPtr literal(TypeRef type, typed::Const value, source::Span span) const;
  ExprPtr error(source::Span span) const;

  ExprPtr visit(const ast::IntLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::FloatLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::BoolLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::NoneLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::StringLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::BytesLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::RegexLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::DurationLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::TimeLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Interpolation& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::ListLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::RecordLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::MapLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::NameRef& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::MemberAccess& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::IndexAccess& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Call& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Unary& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Binary& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::RangeExpr& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::IsNone& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::IsSome& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Cast& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::If& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Match& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Block& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Lambda& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Try& node, const ast::Expr& expr, Scope& scope, TypeRef hint);
  ExprPtr visit(const ast::Paren& node, const ast::Expr& expr, Scope& scope, TypeRef hint);

  // Maps and secrets: map_values.cpp.
  ExprPtr constant_value(TypeRef type, const typed::Const& value, source::Span span) const;
  // Reports what a secret is not used for: "which {what}".
  ExprPtr secret_use(const Expr& value, std::string_view what) const;
  // The number of a name of the pattern; -1: something nearer has it, or nothing.
  static int bound_name(const std::string& name, const Scope& scope);
  // Whether events are bound to it before the one whose condition this is; reports.
  bool known_by_now(int name, const Scope& scope, source::Span span);
  // A name that a pattern binds; null: the expression names none.
  ExprPtr bound_field(const ast::MemberAccess& node, const ast::Expr& expr, Scope& scope);
  ExprPtr selected_key(const std::string& name, const ast::Expr& expr, const Scope& scope);
  ExprPtr check_arithmetic(const ast::Binary& node, typed::Op op, ExprPtr left, ExprPtr right,
                           source::Span span);
  ExprPtr check_comparison(const ast::Binary& node, typed::Op op, ExprPtr left, ExprPtr right,
                           source::Span span);
  ExprPtr check_key_of(const ast::Binary& node, ExprPtr key, ExprPtr map, Scope& scope, source::Span span);
  ExprPtr negated_if(bool negated, ExprPtr test) const;
  ExprPtr check_membership(const ast::Binary& node, Scope& scope, source::Span span);
  ExprPtr check_coalesce(const ast::Binary& node, Scope& scope, TypeRef hint, source::Span span);
  ExprPtr pattern_condition(const ast::Pattern& pattern, const Expr& subject, Scope& scope);
  // Member `name` of a record or of a T? through `?.`.
  ExprPtr member(ExprPtr object, const ast::Ident& field, bool optional, source::Span span);
  ExprPtr cast(ExprPtr value, TypeRef target, bool optional, source::Span span);
  // What the operator around this place was passed under that name; null: nothing.
  ExprPtr passed(const std::string& name, const ast::Expr& expr, Scope& scope, TypeRef hint);
  // Aggregates of the script: own_aggregate.cpp.
  bool fill_own(const Homed<ast::AggregateDecl>& declared, const std::vector<const ast::Expr*>& args,
                const ast::Call& node, source::Span span, Scope& scope, typed::AggregateCall& out);
  bool bind_own(const ast::AggregateDecl& decl, const Names& home, const std::vector<const ast::Expr*>& args,
                Scope& scope, OwnUse& use, typed::AggregateCall& out);
  bool check_own_states(const ast::AggregateDecl& decl, OwnUse& use);
  bool check_own_assigns(const std::vector<ast::AggregateAssign>& assigns, Scope& scope, const OwnUse& use,
                         std::vector<ExprPtr>& out);
  bool check_own_body(const ast::AggregateDecl& decl, OwnUse& use);
  ExprPtr module_member(const ast::MemberAccess& node, const ast::Expr& expr, const Scope& scope);
  // Times in texts: time_calls.cpp.
  // `time` as clocks of that zone show it, or back.
  ExprPtr in_zone(typed::Builtin direction, ExprPtr time, const ast::Expr& zone);
  ExprPtr check_parse_time(const ast::Call& node, const ast::Expr& expr, Scope& scope);
  ExprPtr check_format_time(const ast::Call& node, const ast::Expr& expr, Scope& scope);
  std::optional<std::string> time_pattern(const std::string& function, const ast::Expr& expr);
  // `json`: json_walk.cpp.
  ExprPtr json_part(typed::Builtin builtin, ExprPtr json, ExprPtr which, source::Span span);
  // Regular expressions: regex_calls.cpp.
  const ast::RegexLit* regex_of(const ast::Expr& expr) const;
  ExprPtr check_regex_call(typed::Builtin builtin, const std::vector<const ast::Expr*>& args,
                           const ast::Expr& expr, Scope& scope);
  // Functions of a list and a lambda: list_calls.cpp.
  ExprPtr check_list_call(const ast::Call& node, const std::vector<const ast::Expr*>& args,
                          const ast::Expr& expr, Scope& scope);
  ExprPtr check_lambda(const ast::Expr& expr, std::vector<LocalName> params, Scope& scope, TypeRef wanted);
  // Decimals: decimals.cpp. Both sides are decimals or ints, or one of them is refused.
  ExprPtr decimal_arithmetic(const ast::Binary& node, typed::Op op, ExprPtr left, ExprPtr right,
                             source::Span span);
  // An int as a decimal(0); a decimal as it is.
  ExprPtr as_decimal(ExprPtr expr);
  // Of two decimals that are added or compared: a literal and an int take the digits of the other, where they
  // fit, so that nothing is left to do for each event.
  void align_decimals(ExprPtr& a, ExprPtr& b);
  // `decimal(scale)`; reports and gives an error when it has too many digits.
  TypeRef decimal_type(int scale, source::Span span);
  ExprPtr decimal_literal(const std::string& text, bool negative, TypeRef wanted, source::Span span);
  // What a literal beside a decimal is: a decimal of its own digits. Else `hint`.
  TypeRef hint_beside(const ast::Expr& expr, TypeRef beside, TypeRef hint);
  // Numbers among some expressions that were checked without knowing of the decimals beside them.
  void recheck_beside(const ast::Expr& a_written, const ast::Expr& b_written, Scope& scope, TypeRef hint,
                      ExprPtr& a, ExprPtr& b);
  void recheck_numbers(const std::vector<const ast::Expr*>& written, Scope& scope,
                       std::vector<ExprPtr>& checked);
  // `round(x, s)`, `trunc(x)` and the like of a decimal.
  ExprPtr round_decimal(typed::Builtin builtin, ExprPtr value, const ast::Expr* digits, source::Span span);
  // `decimal(x, s)`.
  ExprPtr check_decimal_call(const std::vector<const ast::Expr*>& args, const ast::Expr& expr, Scope& scope);
  std::optional<int> scale_argument(const ast::Expr& expr);
  static typed::Kind promote_kind(const ExprPtr& expr) {
    return typed::is_small_int(expr->type->kind) ? typed::Kind::Int : expr->type->kind;
  }
  ExprPtr promote(ExprPtr expr);  // small ints to int, f32 to float
  // Reports and replaces by an error when the value may be none.
  ExprPtr need_value(ExprPtr expr, std::string_view wanted);
  // The two branches of if, match, try under one type.
  TypeRef join_branches(ExprPtr& a, ExprPtr& b);

  const Names* names_;
  const OperatorUse* use_ = nullptr;
  const std::vector<typed::Param>& params_;
  typed::TypeTable& types_;
  diag::Engine& diags_;
  int& local_count_;
  std::vector<const ast::FnDecl*> call_stack_;
  std::set<const ast::AggregateDecl*> broken_own_;  // wrong by themselves: their uses say no more
  bool in_own_aggregate_ = false;                   // in its body
  size_t node_count_ = 0;
};

// `json` or `json?`.
bool is_json(typed::TypeRef type);
// The value of an expression made of literals; empty when it is none or fails.
std::optional<typed::Const> fold_constant(const typed::Expr& expr);
bool literal_fits(int64_t value, typed::Kind kind);
// `if c then 0.5 else 1`: its numbers take their type from what stands beside it.
bool chooses_numbers(const ast::Expr& expr);
bool is_decimal(typed::TypeRef type);  // or a `?` of one
// Literals whose type the other side decides.
bool takes_hint(const ast::Expr& expr);
// What an operand tells a literal beside it. Null for a wrong one: it must not turn `x + 1` on text into a
// strange message.
typed::TypeRef hint_of(const typed::Expr& expr);

}  // namespace mut::sema
