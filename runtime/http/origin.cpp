#include "runtime/http/origin.h"

#include "runtime/env/loopback.h"

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

}  // namespace

std::optional<Response> refuse_foreign(const Request& request, Served served) {
  const std::string* host = request.find("Host");
  if (host == nullptr || (served == Served::ThisMachine && !env::is_loopback(host_of(*host)))) {
    return refusal(421,
                   "the field `Host` has to name this machine, as 127.0.0.1 or localhost do: nobody else is "
                   "served here");
  }
  const std::string* origin = request.find("Origin");
  if (origin == nullptr) return std::nullopt;
  size_t scheme = origin->find("://");
  if (scheme != std::string::npos) {
    std::string_view site = std::string_view(*origin).substr(scheme + 3);
    if (served == Served::ThisMachine ? env::is_loopback(host_of(site)) : site == *host) return std::nullopt;
  }
  return refusal(403, "a page of another site may not ask here");
}

}  // namespace mut::http
