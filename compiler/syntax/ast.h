// A script as written: every declaration, stage and expression of edition 1, nothing resolved.
// Expressions are in ast_expr.h, stages in ast_stage.h, declarations here. Owned by Program; spans point into
// the SourceSet. Nesting is bounded by the parser (256).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/syntax/ast_stage.h"

namespace mut::ast {

struct Parameter {
  Ident name;
  TypePtr type;
};  // null type: an expression over the event

struct ImportDecl {
  Path module;       // std.stats; without parts for a file
  std::string file;  // "lib.mut"; may be written ""
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
// What an edit must hold to: `guard errors of spend < 0.5% in 1000 records`.
struct GuardDecl {
  Ident what;
  std::optional<Path> stream;
  ExprPtr percent;  // number literals
  ExprPtr count;    // null: not said
  Ident unit;       // beside `count`
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
               GuardDecl, TestDecl>
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
