// Which files a script names, by what the paths name and not by their text.
#pragma once
#include <string>

#include "compiler/session/connect.h"

namespace mut::session {

// Two paths, one file: by device and inode where it exists, else by the path. Pipes and devices are no
// files here.
bool same_file(env::Env& env, const std::string& one, const std::string& other);

// A sink that would write into what a source reads, be it a file or an address of TCP, and two sinks that
// would write one file, are refused.
// Pairs that `before` (may be null) has too are running and not asked about again.
Status check_files(env::Env& env, const typed::Program& program, const Bindings& bindings,
                   const typed::Program* before);

}  // namespace mut::session
