// What the statements of a `process` do. Variables go by their place, so that a rename changes nothing.
#pragma once
#include "compiler/change/expr_hash.h"

namespace mut::change {

// `scope` has the fields of one way in which events arrive.
Hash statements_hash(const ExprHasher& hasher, const typed::Stage& stage, Scope scope);
// The same with the initial values: what leaves the stage.
Hash process_hash(const ExprHasher& hasher, const typed::Stage& stage, Scope scope);

}  // namespace mut::change
