// libnats, loaded when a script names it.
#pragma once
#include <nats/nats.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

// What is called of it.
struct NatsLibrary {
#define MUT_NATS_FUNCTION(name) decltype(&::name) name = nullptr;
#include "runtime/connector/nats/functions.def"
#undef MUT_NATS_FUNCTION
};

// Fails where it is not installed.
Result<std::shared_ptr<const NatsLibrary>> load_nats(env::Env& env);

}  // namespace mut::connector
