// Connections of connectors, encrypted where a script says so.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "runtime/connector/notices.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"
#include "runtime/tls/files.h"

namespace mut::connector {

// As Env::connect_tcp; `timeout_ns` is for both sides to agree on TLS too.
Result<std::unique_ptr<env::Socket>> connect_to(env::Env& env, const env::TcpAddress& address, const Tls& tls,
                                                int64_t timeout_ns, const std::atomic<bool>& given_up);

// As Env::listen_tcp; without a certificate in the clear. What is refused is told of `about`, "source `x`".
Result<std::unique_ptr<env::SocketListener>> listen_on(env::Env& env, const env::TcpAddress& address,
                                                       const tls::Files& files, const std::string& about,
                                                       const std::shared_ptr<Notices>& notices);

// ", tls cert.pem of clients.pem", behind where it listens; empty: in the clear.
std::string text_of(const tls::Files& files);

}  // namespace mut::connector
