// Stages and pipelines as written. See ast.h.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/syntax/ast_expr.h"

namespace mut::ast {

// `name = expr`, or an expression alone (then `name` is empty), with `was`.
struct NamedExpr {
  std::optional<Ident> name;
  std::optional<Ident> was;
  ExprPtr value;
  Span span;
};

enum class WindowKind : uint8_t { Tumbling, Sliding, Session, Count, All };
struct Window {
  WindowKind kind = WindowKind::All;
  ExprPtr size;    // duration, gap, or count; null for All
  ExprPtr every;   // may be null
  ExprPtr offset;  // may be null
  std::optional<std::string> zone;
  Span span;
};

enum class TriggerKind : uint8_t { OnClose, OnUpdate, Every };
struct Trigger {
  TriggerKind kind;
  ExprPtr every;
  Span span;
};

enum class LateKind : uint8_t { Drop, Update, To };
struct Late {
  LateKind kind = LateKind::Drop;
  ExprPtr within;
  std::optional<Ident> to;
  Span span;
};

struct Ttl {
  ExprPtr duration;
  Span span;
};  // null duration: `ttl none`

struct WhereStage {
  ExprPtr condition;
};
struct SelectStage {
  std::vector<NamedExpr> items;
};
struct WithStage {
  std::vector<NamedExpr> items;
};
struct WithoutStage {
  std::vector<Ident> fields;
};
struct RenameItem {
  Ident from;
  Ident to;
};
struct RenameStage {
  std::vector<RenameItem> items;
};
struct FlattenStage {
  std::optional<Ident> name;
  ExprPtr list;
};
struct AggregateStage {
  std::vector<NamedExpr> items;
  std::vector<NamedExpr> by;
  std::optional<Window> window;
  std::vector<Trigger> triggers;
  std::optional<Late> late;
  std::optional<Ttl> ttl;
};
enum class JoinKind : uint8_t { Inner, Left, Right, Full, Semi, Anti, Asof, LeftAsof, Lookup, LeftLookup };
struct JoinStage {
  JoinKind kind;
  Ident other;
  std::optional<Ident> alias;
  ExprPtr within;  // duration or RangeExpr; may be null
  ExprPtr as_of;   // lookup … as of e; may be null
  ExprPtr on;
};

struct PatternTerm;
using PatternTermPtr = std::unique_ptr<PatternTerm>;
struct PatternName {
  Ident name;
};
// Parts in order; connectors[i] stands before parts[i + 1]. `negated[i]` marks `not part`.
enum class Connector : uint8_t { Strict, Then };
struct PatternSequence {
  std::vector<PatternTermPtr> parts;
  std::vector<Connector> connectors;
  std::vector<char> negated;
  std::vector<char> then_after_not;  // `a not x then b`: `then` after a negated part
};
struct PatternChoice {
  std::vector<PatternTermPtr> options;
};
struct PatternRepeat {
  PatternTermPtr term;
  uint32_t least = 0;
  std::optional<uint32_t> most;
  bool reluctant = false;
  std::string text;
};
struct PatternTerm {
  Span span;
  std::variant<PatternName, PatternSequence, PatternChoice, PatternRepeat> node;
};
enum class SkipPolicy : uint8_t { Default, PastLast, ToNext };
struct MatchStage {
  std::vector<NamedExpr> by;
  ExprPtr within;  // may be null
  PatternTermPtr pattern;
  std::vector<NamedExpr> define;
  std::vector<NamedExpr> select;
  SkipPolicy skip = SkipPolicy::Default;
  ExprPtr limit;  // may be null
};

struct SortKey {
  ExprPtr value;
  bool descending = false;
  bool ascending = false;
};
struct DedupeStage {
  std::vector<NamedExpr> by;
  ExprPtr within;
};
struct LatestStage {
  std::vector<NamedExpr> by;
};
struct TopStage {
  ExprPtr count;
  bool with_ties = false;
  std::vector<SortKey> keys;
  std::vector<NamedExpr> by;
  std::optional<Window> window;
};
struct SortStage {
  std::vector<SortKey> keys;
  std::optional<Window> window;
};
struct SampleStage {
  std::string percent;
  std::vector<NamedExpr> by;
};
struct LimitStage {
  ExprPtr count;
  std::vector<NamedExpr> by;
};
struct ThrottleStage {
  ExprPtr count;
  ExprPtr per;
  std::vector<NamedExpr> by;
};
struct DelayStage {
  ExprPtr duration;
};
struct DebounceStage {
  ExprPtr duration;
  std::vector<NamedExpr> by;
};

struct Statement;
using StatementPtr = std::unique_ptr<Statement>;
struct AssignStatement {
  Ident name;
  ExprPtr value;
};
struct LetStatement {
  Ident name;
  ExprPtr value;
};
struct IfStatement {
  ExprPtr condition;
  std::vector<StatementPtr> then_body;
  std::vector<StatementPtr> else_body;
  bool has_else = false;
};
struct EmitStatement {
  ExprPtr record;
};
struct TimerStatement {
  Ident name;
  ExprPtr at;
};
struct CancelStatement {
  Ident name;
};
struct Statement {
  Span span;
  std::variant<AssignStatement, LetStatement, IfStatement, EmitStatement, TimerStatement, CancelStatement>
      node;
};
struct StateVariable {
  Ident name;
  std::optional<Ident> was;
  TypePtr type;
  ExprPtr initial;
};
struct TimerHandler {
  Ident name;
  std::vector<StatementPtr> body;
};
struct ProcessStage {
  std::vector<NamedExpr> by;
  std::optional<Ttl> ttl;
  std::vector<StateVariable> state;
  std::vector<StatementPtr> on_event;
  std::vector<TimerHandler> on_timer;
};
struct TrainStage {
  Ident learner;
  std::vector<NamedExpr> with;
  ExprPtr label;
};
struct OperatorStage {
  Path name;
  std::vector<Argument> args;
};

// `@hourly was old`, `@clicks from per_user`, `@total from a + b`, `@per_user fresh 3`.
struct Label {
  Ident name;
  std::optional<Ident> was;
  std::vector<Path> from;
  std::optional<uint64_t> fresh;
  Span span;
};

struct Stage {
  Span span;  // without the leading `|`
  Span keyword;
  std::optional<Label> label;
  std::variant<WhereStage, SelectStage, WithStage, WithoutStage, RenameStage, FlattenStage, AggregateStage,
               JoinStage, MatchStage, DedupeStage, LatestStage, TopStage, SortStage, SampleStage, LimitStage,
               ThrottleStage, DelayStage, DebounceStage, ProcessStage, TrainStage, OperatorStage>
      node;
};

struct StreamHead {
  Path name;
};  // `payments`, `payments.errors`
struct MergeHead {
  std::vector<Path> inputs;
};
struct Pipeline {
  Span span;
  std::variant<StreamHead, MergeHead> head;
  std::vector<Stage> stages;
};

}  // namespace mut::ast
