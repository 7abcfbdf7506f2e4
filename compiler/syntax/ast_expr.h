// Names, types and expressions as written. See ast.h.
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
  ExprPtr amount;                  // literal, name of a const, or in parentheses; null for All and None
  std::vector<ExprPtr> by;         // paths, calls; anything in a list in parentheses
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

}  // namespace mut::ast
