// The edits of W9.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "mutstream/engine.h"

namespace mut::bench {

// Versions of a script, by round.
struct Edit {
  const char* name;
  std::function<std::string(int round)> script;
  std::vector<Consent> accept{};
};

// Of views of advertisements: a constant, an expression, a column, an operator put in or taken out.
std::vector<Edit> light_edits();
// These four in turn; each is one change of the last.
Edit mixed_edits();
Edit window_edits();
// A million running groups; whole columns are added and taken away.
Edit widening_edits();
// A variable of a million keys, each time made of the one before.
Edit remaking_edits();

}  // namespace mut::bench
