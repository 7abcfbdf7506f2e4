// Addresses of HTTP as scripts write them: "127.0.0.1:8080/in", "http://collector.example/in?x=1".
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/env/tcp_address.h"

namespace mut::http {

struct Url {
  env::TcpAddress address;
  std::string target = "/";  // path and query
  std::string text() const { return address.text() + target; }
};

constexpr uint16_t usual_port = 80;

// `https://` is refused: there is no TLS.
inline Result<Url> parse_url(std::string_view text) {
  if (text.starts_with("https://"))
    return Error{"there is no TLS yet: write `http://`, of a proxy on this machine that speaks it"};
  if (text.starts_with("http://")) text.remove_prefix(7);
  size_t slash = std::min(text.find('/'), text.size());
  std::string authority(text.substr(0, slash));
  std::string_view target = text.substr(slash);
  bool fine =
      authority.find_first_of("@?#") == std::string::npos &&
      std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (!fine || authority.empty())
    return Error{"write `host:port/path`, such as 127.0.0.1:8080/in or http://collector.example/in"};
  bool has_port = !authority.ends_with(']') && authority.find(':') != std::string::npos;
  auto address = env::parse_tcp_address(has_port ? authority : authority + ":" + std::to_string(usual_port));
  if (!address) return address.error();
  return Url{std::move(address).value(), target.empty() ? "/" : std::string(target)};
}

}  // namespace mut::http
