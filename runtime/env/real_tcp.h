// Sockets of TCP. Private to the folder.
#pragma once
#include <atomic>

#include "runtime/env/sockets.h"
#include "runtime/env/tcp_address.h"

namespace mut::env {

Result<std::unique_ptr<Socket>> connect_to(const TcpAddress& address, int64_t timeout_ns,
                                           const std::atomic<bool>& given_up);
Result<std::unique_ptr<SocketListener>> listen_on(const TcpAddress& address);

}  // namespace mut::env
