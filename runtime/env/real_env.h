// The machine itself (Linux).
#pragma once
#include <memory>

#include "runtime/env/env.h"

namespace mut::env {

// Reads MUT_FAULT; a value it does not understand is an error.
Result<std::unique_ptr<Env>> make_real_env();

}  // namespace mut::env
