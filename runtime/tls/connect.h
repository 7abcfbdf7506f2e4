// TLS 1.2 and 1.3 of the side that connects.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/env/env.h"
#include "runtime/tls/files.h"

namespace mut::tls {

// The same connection, encrypted: what is written to it goes out so, what is read of it is what was sent.
// `host` is whom the certificate has to be of, a name or an address, where there are authorities. Waits until
// both sides agree, up to `until_ns` by the steady clock; fails soon once `given_up`. A connection that ends
// without a goodbye is broken, since somebody may have cut it off.
Result<std::unique_ptr<env::Socket>> encrypt(env::Env& env, std::unique_ptr<env::Socket> below,
                                             const std::string& host, const Files& files, int64_t until_ns,
                                             const std::atomic<bool>& given_up);

}  // namespace mut::tls
