// Host and port, as scripts write them.
#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::env {

struct TcpAddress {
  std::string host;   // a name or an address
  uint16_t port = 0;  // 0: the system chooses, of who listens

  // "127.0.0.1:9000", "[::1]:9000".
  std::string text() const {
    bool six = host.find(':') != std::string::npos;
    return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  bool operator==(const TcpAddress&) const = default;
};

inline Result<TcpAddress> parse_tcp_address(std::string_view text) {
  Error wrong{"write `host:port`, such as 127.0.0.1:9000 or [::1]:9000"};
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  std::string_view host = text.substr(0, colon);
  std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Error{"an address of IPv6 stands in brackets: [::1]:9000"};
  }
  unsigned number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  bool digits = error == std::errc() && end == port.data() + port.size() && !port.empty();
  if (host.empty() || (!digits && error != std::errc::result_out_of_range)) return wrong;
  if (!digits || number > 65535) return Error{"a port is a number from 0 to 65535"};
  return TcpAddress{std::string(host), static_cast<uint16_t>(number)};
}

}  // namespace mut::env
