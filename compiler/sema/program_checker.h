// A whole program: names first, then streams as they are needed, so that their order does not matter.
// Declarations are in check.cpp, sources and tables in source_checker.cpp, streams and routes in
// stream_checker.cpp.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/sema/check.h"
#include "compiler/sema/declarer.h"
#include "compiler/sema/expr_checker.h"
#include "compiler/sema/test_checker.h"

namespace mut::sema {

class ProgramChecker {
 public:
  ProgramChecker(const Declarations& declarations, const CheckOptions& options, diag::Engine& diags)
      : declarations_(declarations), options_(options), diags_(diags) {
    out_.types = std::make_shared<typed::TypeTable>();
  }
  bool run();
  typed::Program take() { return std::move(out_); }
  // After run(): steps of a test that this version runs.
  TestPart check_steps(const ast::TestDecl& test, size_t first, TestProgress& progress);

 private:
  using TypeRef = typed::TypeRef;
  // A stream that is declared somewhere; checked when it is first needed.
  struct Declared {
    source::Span span;
    size_t order = 0;
    const ast::SourceDecl* source = nullptr;
    const ast::StreamDecl* stream = nullptr;
    const ast::TableDecl* table = nullptr;
    const ast::RouteDecl* route = nullptr;  // a branch
    std::string late_of;                    // made by `late to` of this stream
    bool checking = false;
    bool checked = false;
    std::optional<typed::Stream> result;  // empty after an error
  };
  void declare_names();
  void declare_param(const ast::ParamDecl& decl, source::Span span);
  void declare(const ast::Ident& name, Declared declared);
  void declare_streams();
  void declare_late_streams(const ast::Pipeline& pipeline, const std::string& owner);
  // The checked stream of that name, or null after a report.
  typed::Stream* find(const std::string& name, source::Span span);
  typed::Stream* find_errors(const std::string& name, source::Span span);
  void resolve(const std::string& name);
  void check_source(const ast::SourceDecl& decl, Declared& declared);
  void check_standbys(const ast::SourceDecl& decl, typed::Source& source);
  void check_on_full(const ast::SourceDecl& decl, typed::Source& source);
  // Whether a host or a test gives its rows, whatever its connector.
  bool is_elsewhere(const std::string& source) const;
  // What a source or a table reads from outside: `decl` has name, was, type, time and lateness.
  std::optional<int64_t> check_clause(const ast::ExprPtr& duration);
  template <typename Decl>
  std::optional<typed::Stream> read_connector(const Decl& decl, const ast::ConnectorExpr& connector_expr);
  void check_table(const ast::TableDecl& decl, Declared& declared);
  void read_table(const ast::TableDecl& decl, Declared& declared);
  // `generate(…) { id = "p{n}", … }`: one expression per declared field; the time may be left out.
  bool check_generated(const ast::ConnectorExpr& connector, typed::Source& source);
  void check_stream(const ast::StreamDecl& decl, Declared& declared);
  // The first `count` stages.
  std::optional<typed::Stream> check_pipeline(const ast::Pipeline& pipeline, size_t count,
                                              const ast::Ident& own_name,
                                              const std::optional<ast::Ident>& was);
  bool check_merge(const ast::MergeHead& head, typed::Stream& stream, source::Span span);
  // The first branch that is needed checks the whole route.
  void check_branch(const std::string& name, const ast::RouteDecl& decl, Declared& declared);
  bool check_route(const ast::RouteDecl& decl, const typed::Stream& input, typed::Route& out);
  // Gives streams their indices: order of declaration, but a stream after all of its inputs.
  void number_streams();
  int place(const std::string& name);
  int placed(const std::string& name) const;  // -1: it is not, or not yet
  // Index of a stream that an emit or set reads; error streams are made when they are first read.
  int stream_index(const ast::Path& path);
  void check_emit(const ast::EmitDecl& decl, source::Span span);
  // A sink of the host for a stream that an `emit` need not name; none where this version has no such stream.
  void add_tap(const std::string& name);
  void check_set(const ast::SetDecl& decl, source::Span span);
  void check_migrate(const ast::MigrateDecl& decl);
  void check_guard(const ast::GuardDecl& decl, source::Span span);
  void refuse_later(const ast::Declaration& decl);
  void warn_unread();

  struct Routed {
    typed::Stream* input = nullptr;
    typed::Route route;
    bool fine = false;
  };
  const Declarations& declarations_;
  const CheckOptions& options_;
  diag::Engine& diags_;
  Names names_;
  ModuleTable modules_;
  typed::Program out_;
  std::optional<ExprChecker> exprs_;
  std::map<std::string, Declared> declared_;
  std::map<std::string, typed::Stream> errors_;
  std::map<std::string, std::vector<std::string>> input_names_;
  std::unordered_map<std::string, int> placed_;
  std::map<const ast::RouteDecl*, Routed> routes_;
  std::vector<std::string> late_names_;
  std::vector<std::string> right_names_;  // of joins
  size_t order_ = 0;
  size_t stage_count_ = 0;
};

}  // namespace mut::sema
