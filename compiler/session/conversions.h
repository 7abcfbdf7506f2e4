// What `migrate` says, checked against two versions, and keys that an edit converts, as machine code.
#pragma once
#include "compiler/change/compare.h"
#include "compiler/jit/jit.h"
#include "compiler/session/program.h"
#include "mutstream/engine.h"
#include "runtime/swap/key_conversion.h"

namespace mut::session {

// For a comparison of these two.
change::MigrateChecker migrate_checker(const Program& before, const Program& after);

// The same for the interpreter, which asks for what checks only.
std::function<std::shared_ptr<const typed::Program>(const std::string& stream, const std::string& stage,
                                                    const std::vector<typed::Field>& old)>
reference_migrate(change::MigrateChecker checker);

// Those of a plan, by index, with the code of that tier.
Outcome<std::vector<std::shared_ptr<const runtime::KeyConversion>>> compile_conversions(
    const std::vector<change::KeyConversion>& planned, jit::Jit& jit, jit::Tier tier);

}  // namespace mut::session
