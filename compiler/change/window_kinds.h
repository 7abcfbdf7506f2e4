// Which windows can hand over to windows of another kind.
#pragma once
#include <string>

#include "compiler/change/cells.h"
#include "compiler/change/verdicts.h"

namespace mut::change {

// How an aggregate whose windows are of another kind, or come or go, differs from the one it continues:
// WindowKind when an instant of event time divides the two.
Difference window_kind_difference(const Cell& before, const Cell& after);
// "tumbling 10s → session 4s".
std::string window_kinds_text(const Cell& before, const Cell& after);

}  // namespace mut::change
