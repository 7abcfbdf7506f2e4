// What looks at an edit for some records behind its cut: the guards of the script that it brings, and one
// that it was offered with.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/session/program.h"
#include "mutstream/engine.h"

namespace mut::session {

struct EditGuard {
  Guard limit;
  std::string stream;  // whose errors count; empty: of all
};

// `asked`: beside those of the script. These judge nothing where a clock is virtual: what is taken back is at
// a time of its own, which a test could not tell.
std::vector<EditGuard> guards_of(const Program& program, const std::optional<Guard>& asked,
                                 EngineOptions::Clock clock);

}  // namespace mut::session
