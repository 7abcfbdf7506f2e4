// Versions of a script in a `test` block: what a `swap { … }` makes of the declarations before it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/ast.h"

namespace mut::sema {

// Of one version, in order of the text. They belong to the trees of the script and of files it names.
using Declarations = std::vector<const ast::Declaration*>;

Declarations declarations_of(const ast::Program& program);

// `swap { … }`: declarations of the same kind and name are replaced, also those named by `was`; others are
// added, and `without name` takes away. Empty after a report.
std::optional<Declarations> next_version(const Declarations& version, const ast::SwapStep& swap,
                                         diag::Engine& diags);

// Whether the swap at that step is one the test expects to be taken: nothing says that it is refused, or
// that it changes nothing.
bool expects_swap(const ast::TestDecl& test, size_t step);

std::string path_text(const ast::Path& path);

}  // namespace mut::sema
