// Which hosts are this machine, as nobody else reaches it.
#pragma once
#include <algorithm>
#include <charconv>
#include <string_view>

namespace mut::env {

// 127.x.y.z
inline bool is_loopback_v4(std::string_view host) {
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

// "localhost", 127.0.0.1 and the like, ::1: without a port, without brackets.
inline bool is_loopback(std::string_view host) {
  constexpr std::string_view name = "localhost";
  bool named = std::equal(host.begin(), host.end(), name.begin(), name.end(),
                          [](char one, char other) { return (one | 0x20) == other; });
  return named || host == "::1" || is_loopback_v4(host);
}

}  // namespace mut::env
