// What `perf` calls code of a version.
#pragma once
#include <vector>

#include "compiler/jit/code_lines.h"
#include "compiler/session/perf/perf_file.h"
#include "compiler/session/program.h"

namespace mut::session {

// "mut:SCRIPT:vN:STAGE@LINE", with "+state" behind it where the stores of the stage are inlined.
std::vector<NamedCode> name_code(const Program& program, uint64_t version,
                                 const std::vector<jit::CodePiece>& pieces);

}  // namespace mut::session
