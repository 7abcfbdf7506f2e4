// A script as written: every declaration, stage and expression of edition 1, nothing resolved.
// Owned by Program; spans point into the SourceSet. Nesting is bounded by the parser (256).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/source/span.h"

namespace mut::ast {

using source::Span;

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
struct TypeExpr;
using TypePtr = std::unique_ptr<TypeExpr>;
struct Pipeline;

// A name; `text` is without back-quotes.
struct Ident {
  std::string text;
  Span span;
};

// a.b.c
struct Path {
  std::vector<Ident> parts;
  Span span;
};

// ---- types

struct FieldDecl {
  Ident name;
  std::optional<Ident> was;         // `total was amount: float`
  std::optional<std::string> from;  // `id from "Invoice No": string`
  TypePtr type;
  ExprPtr default_value;  // may be null
  std::vector<std::string> doc;
};

struct NamedType {
  Path name;
  std::vector<TypePtr> args;
};  // int, Payment, map<K, V>, secret<T>
struct DecimalType {
  Ident name;
  ExprPtr scale;
};  // decimal(2)
struct OptionalType {
  TypePtr inner;
};
struct ListType {
  TypePtr element;
};
struct RecordType {
  std::vector<FieldDecl> fields;
};

struct TypeExpr {
  Span span;
  std::variant<NamedType, DecimalType, OptionalType, ListType, RecordType> node;
};

// ---- expressions

struct IntLit {
  uint64_t value = 0;
  std::string text;
};
struct FloatLit {
  double value = 0;
  std::string text;
};
struct BoolLit {
  bool value = false;
};
struct NoneLit {};
struct StringLit {
  std::string value;
  bool raw = false;
};  // "…" without interpolation, r#"…"#
struct BytesLit {
  std::string value;
};
struct RegexLit {
  std::string pattern;
};
struct DurationLit {
  int64_t nanoseconds = 0;
  std::string text;
};
struct TimeLit {
  int64_t nanoseconds = 0;
  std::string text;
};

// One `{expr:spec}` or a stretch of text; exactly one of the two is set.
struct InterpolationPart {
  std::string text;
  ExprPtr expr;
  std::string spec;
};
struct Interpolation {
  std::vector<InterpolationPart> parts;
};

struct ListLit {
  std::vector<ExprPtr> items;
};
struct RecordItem {
  Ident name;
  ExprPtr value;
};
struct RecordLit {
  std::vector<RecordItem> items;
};
struct MapItem {
  ExprPtr key;
  ExprPtr value;
};
struct MapLit {
  std::vector<MapItem> items;
};

struct NameRef {
  Ident name;
};
struct MemberAccess {
  ExprPtr object;
  Ident field;
  bool optional = false;
};  // a.b, a?.b
struct IndexAccess {
  ExprPtr object;
  ExprPtr index;
};

// `over last 30m by card excluding current ttl 1d`, `prev(x) by k`.
enum class OverKind : uint8_t { None, LastDuration, LastEvents, All };
struct HistoryClause {
  OverKind over = OverKind::None;  // None: only `by`, after prev, delta, changed
  ExprPtr amount;                  // literal or name of a const; null for All and None
  std::vector<Path> by;
  bool excluding_current = false;
  ExprPtr ttl;  // may be null
  Span span;
};

struct Argument {
  std::optional<Ident> name;  // `rate: 5`
  ExprPtr value;
};
struct Call {
  ExprPtr receiver;  // `x` in `x.f(a)`; null for `f(a)`
  Ident function;
  std::vector<Argument> args;
  ExprPtr filter;  // `c` in `sum(x where c)`; may be null
  std::optional<HistoryClause> history;
};

enum class UnaryOp : uint8_t { Negate, Not };
struct Unary {
  UnaryOp op;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  NotIn,
  Matches,
  Coalesce,
  Add,
  Subtract,
  Multiply,
  Divide,
  Remainder
};
// The right side of In and NotIn may be a RangeExpr.
struct Binary {
  BinaryOp op;
  Span op_span;
  ExprPtr left;
  ExprPtr right;
};
struct RangeExpr {
  ExprPtr low;
  ExprPtr high;
};

struct IsNone {
  ExprPtr value;
  bool negated = false;
};  // `x is none`, `x is not none`
struct IsSome {
  ExprPtr value;
  Ident binding;
};  // `x is some v`
struct Cast {
  ExprPtr value;
  TypePtr type;
};  // type may be OptionalType: `as T?`
struct If {
  ExprPtr condition;
  ExprPtr then_value;
  ExprPtr else_value;
};

struct NonePattern {};
struct SomePattern {
  Ident binding;
};
struct LiteralPattern {
  ExprPtr value;
};  // literal, negated literal, enum path
struct RangePattern {
  ExprPtr low;
  ExprPtr high;
};
struct Pattern {
  Span span;
  std::variant<NonePattern, SomePattern, LiteralPattern, RangePattern> node;
};
struct MatchArm {
  std::vector<Pattern> patterns;
  bool is_else = false;
  ExprPtr value;
  Span span;
};
struct Match {
  ExprPtr subject;
  std::vector<MatchArm> arms;
};

struct LetBinding {
  Ident name;
  ExprPtr value;
};
struct Block {
  std::vector<LetBinding> lets;
  ExprPtr result;
};
struct Lambda {
  std::vector<Ident> params;
  ExprPtr body;
};
struct Try {
  ExprPtr value;
  ExprPtr otherwise;
};
struct Paren {
  ExprPtr inner;
};  // kept, the formatter prints it

struct Expr {
  Span span;
  std::variant<IntLit, FloatLit, BoolLit, NoneLit, StringLit, BytesLit, RegexLit, DurationLit, TimeLit,
               Interpolation, ListLit, RecordLit, MapLit, NameRef, MemberAccess, IndexAccess, Call, Unary,
               Binary, RangeExpr, IsNone, IsSome, Cast, If, Match, Block, Lambda, Try, Paren>
      node;
};

// ---- stages

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

// ---- declarations

struct Parameter {
  Ident name;
  TypePtr type;
};  // null type: an expression over the event

struct ImportDecl {
  Path module;       // std.stats; empty for a file
  std::string file;  // "lib.mut"; empty for a module
  std::optional<Ident> as;
  std::vector<Ident> names;  // `import std.stats (ewma)`
};
struct TypeDecl {
  Ident name;
  TypePtr type;
};
struct EnumValue {
  Ident name;
  std::optional<Ident> was;
};
struct EnumDecl {
  Ident name;
  std::vector<EnumValue> values;
};
struct ConstDecl {
  Ident name;
  TypePtr type;
  ExprPtr value;
};  // type may be null
struct ParamDecl {
  Ident name;
  TypePtr type;
  ExprPtr low;
  ExprPtr high;
  ExprPtr value;
};
struct SetDecl {
  Ident param;
  Path stream;
  ExprPtr every;
};
struct FnDecl {
  Ident name;
  std::vector<Parameter> params;
  TypePtr result;
  ExprPtr body;
};
struct AggregateAssign {
  Ident name;
  ExprPtr value;
};
struct AggregateDecl {
  Ident name;
  std::vector<Parameter> params;
  TypePtr result_type;
  std::vector<StateVariable> state;
  std::vector<AggregateAssign> add, remove, merge;
  ExprPtr result;
};
struct OperatorDecl {
  Ident name;
  std::vector<Parameter> params;
  std::vector<Stage> stages;
};
struct ModelDecl {
  Ident name;
  std::vector<Parameter> params;
  TypePtr result;
  Ident maker;
  std::vector<Argument> args;
  bool learner = false;
};

struct ConnectorExpr {
  Ident name;
  std::vector<Argument> args;
  std::vector<NamedExpr> rows;
  Span span;
};  // `generate(…) { id = … }` has rows
struct Failover {
  ConnectorExpr connector;
  ExprPtr after;
};
enum class FullPolicy : uint8_t { Block, DropOldest, DropNewest, Spill };
struct SourceDecl {
  Ident name;
  std::optional<Ident> was;
  TypePtr type;
  ConnectorExpr connector;
  ExprPtr time;      // may be null
  ExprPtr lateness;  // may be null
  ExprPtr idle;      // may be null
  ExprPtr ahead;     // may be null
  std::optional<FullPolicy> on_full;
  std::optional<std::string> check;  // `check: used`
  std::vector<Failover> failover;
};
struct TableDecl {
  Ident name;
  std::optional<Ident> was;
  TypePtr type;  // may be null when made from a stream
  std::vector<Path> key;
  std::optional<Ttl> ttl;
  ExprPtr versioned;                       // may be null
  ExprPtr time;                            // of the connector; may be null
  ExprPtr lateness;                        // of the connector; may be null
  std::optional<ConnectorExpr> connector;  // one of the two
  std::optional<Pipeline> pipeline;
};
struct StreamDecl {
  Ident name;
  std::optional<Ident> was;
  Pipeline pipeline;
};
struct RouteBranch {
  ExprPtr condition;
  Ident target;
  std::optional<Ident> was;
  Span span;
};  // null condition: else
struct RouteDecl {
  bool all = false;
  Path input;
  std::vector<RouteBranch> branches;
};
struct EmitDecl {
  Path stream;
  ConnectorExpr connector;
  std::optional<Ident> as;
  std::optional<Ident> was;
};
struct MigrateItem {
  Ident name;
  TypePtr type;
  ExprPtr value;
};
struct MigrateDecl {
  Path target;
  std::vector<MigrateItem> items;
};

// Tests.
struct Declaration;
struct GivenStep {
  Ident source;
  ExprPtr rows;                     // list of records; null when text or from a file
  std::optional<std::string> text;  // given payments text r#"…"#
  std::optional<std::string> file;  // from "x.jsonl"
  std::optional<uint64_t> first;    // first 500
  bool rest = false;
};
struct AtStep {
  ExprPtr time;
};
struct EndStep {};
enum class ExpectMode : uint8_t { AnyOrder, InOrder, Exactly };
struct ExpectRowsStep {
  Path stream;
  ExpectMode mode = ExpectMode::AnyOrder;
  ExprPtr rows;
  std::optional<std::string> file;
};
struct ExpectPlanStep {
  std::vector<std::pair<std::string, std::string>> verdicts;
};  // cell, verdict
struct ExpectRefusedStep {
  std::string code;
};
struct ExpectUnchangedStep {};
struct Consent {
  Ident verdict;
  std::string cell;
};
struct SwapStep {
  std::optional<std::string> to_file;  // swap to "v2.mut"
  std::vector<std::unique_ptr<Declaration>> changes;
  std::vector<Ident> without;  // `without name`
  std::vector<Consent> accept;
  std::optional<std::string> expect_refused;  // swap { … } expect refused "CODE"
};
struct UndoStep {};
struct TestStep {
  Span span;
  std::variant<GivenStep, AtStep, EndStep, ExpectRowsStep, ExpectPlanStep, ExpectRefusedStep,
               ExpectUnchangedStep, SwapStep, UndoStep>
      node;
};
struct TestDecl {
  std::string name;
  std::vector<TestStep> steps;
};

struct Declaration {
  Span span;
  std::vector<std::string> doc;  // `///` lines without the slashes and one blank
  std::variant<ImportDecl, TypeDecl, EnumDecl, ConstDecl, ParamDecl, SetDecl, FnDecl, AggregateDecl,
               OperatorDecl, ModelDecl, SourceDecl, TableDecl, StreamDecl, RouteDecl, EmitDecl, MigrateDecl,
               TestDecl>
      node;
};

struct Comment {
  Span span;
  std::string text;
};  // as written, with its slashes

struct Program {
  source::FileId file;
  std::optional<uint64_t> edition;
  std::vector<Declaration> declarations;  // in order of the text
  std::vector<Comment> comments;          // `//` and `/* */`, for the formatter
  // Names of declarations that were not understood. Nothing is known about them; a use of one is
  // no error of its own.
  std::vector<std::string> broken;
};

}  // namespace mut::ast
