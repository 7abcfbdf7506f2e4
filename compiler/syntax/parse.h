// Text to tree. The only user of ANTLR.
#pragma once
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/source/source_set.h"
#include "compiler/syntax/ast.h"

namespace mut::syntax {

// Limits of a script, checked on the token stream before any recursion.
constexpr size_t source_bytes_max = 16 * 1024 * 1024;
constexpr size_t token_count_max = 8 * 1000 * 1000;
constexpr size_t nesting_max = 256;

// Parses a file. After errors the result holds the declarations that were understood, so that
// later steps can report more; run nothing when `diags` has errors. Throws nothing.
ast::Program parse(const source::SourceSet& sources, source::FileId file, diag::Engine& diags);

}  // namespace mut::syntax
