// After a script did not parse as a whole: its declarations one by one, so that each tells its own
// errors and none hides another.
#pragma once
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/token_reader.h"
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

// Adds what was understood to `program`; tokens may be given another type where a misspelled word
// is almost surely another.
void parse_by_declaration(TokenList& list, antlr4::TokenSource* source, const Places& places,
                          TreeBuilder& builder, ast::Program& program, diag::Engine& diags);

}  // namespace mut::syntax
