// A person, or a script, talks with a running program: lines in, what they bring about out.
#pragma once
#include <string>

#include "tools/mutc/live/link.h"

namespace mut::tools {

// At a terminal with line editing, else line by line: then what was asked for by `limit` is waited for at the
// end. Returns the exit code.
int hold_dialogue(Link& link, const std::string& greeting);

}  // namespace mut::tools
