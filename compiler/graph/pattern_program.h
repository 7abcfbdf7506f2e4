// A pattern as the program that state/pattern_search runs.
#pragma once
#include "compiler/typed/pattern.h"
#include "runtime/state/pattern_rule.h"

namespace mut::graph {

// Without what it asks of events: measures are the store's.
state::PatternRule pattern_program(const typed::Match& match);

}  // namespace mut::graph
