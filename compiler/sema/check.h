// Names and types. What can be written but not run yet is refused here by MUT3003.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/ast.h"
#include "compiler/typed/program.h"

namespace mut::sema {

// Limits of reliability.md section 8 that concern checked programs.
constexpr size_t stages_per_stream_max = 4096;
constexpr size_t stages_max = 100'000;
constexpr size_t fields_max = 4096;
constexpr size_t call_depth_max = 64;
constexpr size_t expr_nodes_max = 1'000'000;  // after inlining

// Finds and parses what a script imports. Its trees live as long as it does.
class ModuleReader {
 public:
  struct Found {
    std::string key;  // one module, one key: "std.stats", or a path
    const ast::Program* program = nullptr;
  };
  virtual ~ModuleReader() = default;
  // Empty after a report.
  virtual std::optional<Found> read(const ast::ImportDecl& import, source::Span span,
                                    diag::Engine& diags) = 0;
};

struct CheckOptions {
  ModuleReader* modules = nullptr;  // null: nothing can be imported
  // Streams that get a sink `tap:STREAM` for the host, where they exist.
  std::vector<std::string> taps;
  // Given: rows of every source come from the host, of `generate` too.
  enum class Rows : uint8_t { Connectors, Given } rows = Rows::Connectors;
  // Sources whose rows come from elsewhere than their connector says: what `generate` would draw is not
  // looked at.
  std::vector<std::string> bound;
  enum class Tests : uint8_t { Check, Skip } tests = Tests::Check;
};

// Empty when `diags` received an error.
std::optional<typed::Program> check(const ast::Program& program, diag::Engine& diags,
                                    const CheckOptions& options = {});

// The value of a constant expression of `type`. Empty after a report.
std::optional<typed::Const> check_literal(const ast::Expr& expr, typed::TypeRef type, diag::Engine& diags);

}  // namespace mut::sema
