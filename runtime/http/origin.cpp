#include "runtime/http/origin.h"

#include <algorithm>
#include <charconv>

namespace mut::http {
namespace {

// "127.0.0.1:9464" and "[::1]:9464" without what is behind the host.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

// 127.x.y.z
bool is_loopback_v4(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int parts = 0;
  while (true) {
    size_t dot = host.find('.');
    std::string_view part = host.substr(0, dot);
    unsigned number = 256;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size() || number > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_loopback(std::string_view host) {
  constexpr std::string_view name = "localhost";
  bool named = std::equal(host.begin(), host.end(), name.begin(), name.end(),
                          [](char one, char other) { return (one | 0x20) == other; });
  return named || host == "::1" || is_loopback_v4(host);
}

std::optional<Response> refuse_foreign(const Request& request) {
  const std::string* host = request.find("Host");
  if (host == nullptr || !is_loopback(host_of(*host))) {
    return refusal(421,
                   "the field `Host` has to name this machine, as 127.0.0.1 or localhost do: nobody else is "
                   "served here");
  }
  const std::string* origin = request.find("Origin");
  if (origin == nullptr) return std::nullopt;
  size_t scheme = origin->find("://");
  bool own =
      scheme != std::string::npos && is_loopback(host_of(std::string_view(*origin).substr(scheme + 3)));
  if (own) return std::nullopt;
  return refusal(403, "a page of another site may not ask here");
}

}  // namespace mut::http
