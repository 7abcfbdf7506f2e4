// The text of a version that a `test` block makes by `swap { … }`.
#pragma once
#include <string>

#include "compiler/sema/test_version.h"
#include "compiler/source/source_set.h"

namespace mut::session {

// The declarations in their order. Those that the script has at its top stand on their own lines there, as
// far as what was put between them leaves room, so that `line` in `.errors` is that of the script.
std::string version_text(const sema::Declarations& version, const source::SourceSet& sources);

}  // namespace mut::session
