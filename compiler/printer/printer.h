// The formatter: one canonical style, comments kept.
#pragma once
#include <string>

#include "compiler/source/source_set.h"
#include "compiler/syntax/ast.h"

namespace mut::printer {

// Printing, parsing and printing again gives the same text; the tree is unchanged but for spans.
std::string format(const ast::Program& program, const source::SourceSet& sources);

// What users of a declaration see of it: its head, without comment and body. In full where there is no body
// to leave out.
std::string signature(const ast::Declaration& declaration);

// An indented dump of the tree, for `mutc explain --emit=ast` and tests.
std::string dump(const ast::Program& program);

}  // namespace mut::printer
