// What a `match` without `select` gives: its keys, then for each name of a step the event that is bound to
// it.
#pragma once
#include <optional>
#include <vector>

#include "compiler/sema/expr_checker.h"

namespace mut::sema {

// Adds to the measures of `pattern` what the rows need. A name gives a record; one that may be left out a
// `{…}?`; one that may come again a list. Empty after a report: an event of the stream has a list, or a name
// is that of a key.
std::optional<std::vector<typed::Output>> whole_events(PatternScope& pattern, const typed::Stage& stage,
                                                       ExprChecker& exprs, source::Span span);

}  // namespace mut::sema
