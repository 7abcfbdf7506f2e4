// Values of params that are not those of the script: given by a host, or carried over an edit.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "compiler/session/program.h"
#include "mutstream/engine.h"

namespace mut::session {

// `base` with another value of one param.
Outcome<std::shared_ptr<Program>> with_param(const Program& base, const std::string& name,
                                             const std::string& value);
// `edited` with the values of `base` where they go over: by param, which one of `base`, or -1.
std::shared_ptr<Program> with_params_of(const Program& base, const std::shared_ptr<Program>& edited,
                                        const std::vector<int>& from);

// A copy of `base` with the values of another version of the same script.
std::shared_ptr<Program> with_params_from(const Program& other, const std::shared_ptr<Program>& base);

}  // namespace mut::session
