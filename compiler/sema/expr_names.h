// Names that an expression as written mentions, wherever they stand in it.
#pragma once
#include <set>
#include <string>

#include "compiler/syntax/ast.h"

namespace mut::sema {

// Plain names and the first parts of paths; also those that a `let`, a lambda or `is some` binds.
void collect_names(const ast::Expr& expr, std::set<std::string>& names);

}  // namespace mut::sema
