// Names and types. What can be written but not run yet is refused here by MUT3003.
#pragma once
#include <optional>

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

// Empty when `diags` received an error.
std::optional<typed::Program> check(const ast::Program& program, diag::Engine& diags);

// A literal of a test block (`given`, `expect`) as a value of `type`; `missing` fields of records are
// refused in `given` and left out (by index) in `expect`. Empty after a report.
std::optional<typed::Const> check_literal(const ast::Expr& expr, typed::TypeRef type, diag::Engine& diags);

}  // namespace mut::sema
