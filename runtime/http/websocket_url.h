// Addresses of WebSocket as scripts write them: "ws://127.0.0.1:8080/feed".
#pragma once
#include <string_view>

#include "runtime/http/url.h"

namespace mut::http {

// `wss://` is refused: there is no TLS.
inline Result<Url> parse_websocket_url(std::string_view text) {
  if (text.starts_with("wss://"))
    return Error{"there is no TLS yet: write `ws://`, of a proxy on this machine that speaks it"};
  const Error wrong{"write `ws://host:port/path`, such as ws://127.0.0.1:8080/feed"};
  if (!text.starts_with("ws://")) return wrong;
  auto url = parse_url(text.substr(5));
  if (!url) return wrong;
  if (url.value().address.port == 0) return Error{"a port is a number from 1 to 65535"};
  return url;
}

}  // namespace mut::http
