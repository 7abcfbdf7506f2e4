// What is said of a name that is no time zone.
#pragma once
#include <string>

#include "compiler/diagnostics/diagnostics.h"

namespace mut::sema {

void unknown_zone(diag::Engine& diags, source::Span span, const std::string& name);

}  // namespace mut::sema
