// libssl with libcrypto, loaded when a connection is to be encrypted. Private to the folder.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::tls {

// What is called of it.
struct Library {
#define MUT_TLS_FUNCTION(name) decltype(&::name) name = nullptr;
#include "runtime/tls/functions.def"
#undef MUT_TLS_FUNCTION
};
using LibraryRef = std::shared_ptr<const Library>;

// Fails where it is not installed.
Result<LibraryRef> load(env::Env& env);

}  // namespace mut::tls
