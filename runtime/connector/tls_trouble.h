// What is said where a connection cannot be encrypted as a script wants it.
#pragma once
#include <string>

#include "runtime/abi/result.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"

namespace mut::connector {

// The files can be opened, and the key has no password: a library says less of it, or asks at the terminal.
Status check_tls_files(env::Env& env, const Tls& tls);

// What a library of OpenSSL says, with what it means here and what may be done. `why` alone where it is of
// something else.
std::string with_tls_fix(std::string why, const Tls& tls);

}  // namespace mut::connector
