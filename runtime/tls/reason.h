// Why something failed, in the words of the library, and what to do. Private to the folder.
#pragma once
#include <string>

#include "runtime/tls/context.h"
#include "runtime/tls/library.h"

namespace mut::tls {

// Of the last call that failed, "certificate has expired"; what was kept of it is forgotten.
std::string last_reason(const Library& ssl);
// The same of a connection, with what to do. `host`: whom it was to be.
std::string last_reason(const Library& ssl, const SSL* connection, Role role, const std::string& host);

}  // namespace mut::tls
