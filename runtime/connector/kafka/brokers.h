// Where brokers of Kafka are, as scripts write it: "one:9092,other:9092".
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/env/loopback.h"
#include "runtime/env/tcp_address.h"

namespace mut::connector {

// Each `host[:port]`. Fails on what stands beside.
inline Result<std::vector<env::TcpAddress>> parse_brokers(std::string_view text) {
  std::vector<env::TcpAddress> out;
  for (size_t from = 0; from <= text.size();) {
    size_t end = std::min(text.find(',', from), text.size());
    std::string one(text.substr(from, end - from));
    from = end + 1;
    while (one.starts_with(' ')) one.erase(0, 1);
    while (one.ends_with(' ')) one.pop_back();
    if (one.find("://") != std::string::npos)
      return Error{"write host:port; how it is encrypted is said by `tls`"};
    bool has_port = !one.ends_with(']') && one.find(':') != std::string::npos;
    auto address = env::parse_tcp_address(has_port ? one : one + ":9092");
    if (!address) return address.error();
    if (address.value().port == 0) return Error{"a port is a number from 1 to 65535"};
    out.push_back(std::move(address).value());
  }
  return out;
}

// The host that decides how they are connected to: one of another machine, where there is one. Of brokers
// that can be parsed.
inline std::string farthest_host(const std::vector<env::TcpAddress>& brokers) {
  for (const env::TcpAddress& broker : brokers) {
    if (!env::is_loopback(broker.host)) return broker.host;
  }
  return brokers.front().host;
}

}  // namespace mut::connector
