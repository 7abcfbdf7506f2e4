// Addresses of HTTP as scripts write them: "127.0.0.1:8080/in", "https://collector.example/in?x=1".
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/env/loopback.h"
#include "runtime/env/tcp_address.h"

namespace mut::http {

struct Url {
  env::TcpAddress address;
  std::string target = "/";  // path and query
  enum class Way : uint8_t { Clear, Encrypted } way = Way::Clear;

  bool is_encrypted() const { return way == Way::Encrypted; }
  bool is_of_this_machine() const { return env::is_loopback(address.host); }
  // "127.0.0.1:8080/in", however one speaks there.
  std::string place() const { return address.text() + target; }
  // "https://127.0.0.1:8443/in"; without a scheme in the clear.
  std::string text() const { return (is_encrypted() ? "https://" : "") + place(); }
};

constexpr uint16_t usual_port = 80;
constexpr uint16_t usual_encrypted_port = 443;

// What stands behind the scheme.
inline Result<Url> parse_place(std::string_view text, Url::Way way) {
  size_t slash = std::min(text.find('/'), text.size());
  std::string authority(text.substr(0, slash));
  std::string_view target = text.substr(slash);
  bool fine =
      authority.find_first_of("@?#") == std::string::npos &&
      std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (!fine || authority.empty())
    return Error{"write `host:port/path`, such as 127.0.0.1:8080/in or https://collector.example/in"};
  bool has_port = !authority.ends_with(']') && authority.find(':') != std::string::npos;
  uint16_t port = way == Url::Way::Encrypted ? usual_encrypted_port : usual_port;
  auto address = env::parse_tcp_address(has_port ? authority : authority + ":" + std::to_string(port));
  if (!address) return address.error();
  return Url{std::move(address).value(), target.empty() ? "/" : std::string(target), way};
}

inline Result<Url> parse_url(std::string_view text) {
  for (auto [scheme, way] : {std::pair(std::string_view("https://"), Url::Way::Encrypted),
                             std::pair(std::string_view("http://"), Url::Way::Clear)}) {
    if (text.starts_with(scheme)) return parse_place(text.substr(scheme.size()), way);
  }
  return parse_place(text, Url::Way::Clear);
}

}  // namespace mut::http
