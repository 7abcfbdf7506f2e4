// Addresses of WebSocket as scripts write them: "ws://127.0.0.1:8080/feed", "wss://feed.example".
#pragma once
#include <string>
#include <string_view>

#include "runtime/http/url.h"

namespace mut::http {

inline Result<Url> parse_websocket_url(std::string_view text) {
  const Error wrong{"write `ws://host:port/path` or `wss://host/path`, such as ws://127.0.0.1:8080/feed"};
  Url::Way way = text.starts_with("wss://") ? Url::Way::Encrypted : Url::Way::Clear;
  if (way == Url::Way::Clear && !text.starts_with("ws://")) return wrong;
  auto url = parse_place(text.substr(text.find("//") + 2), way);
  if (!url) return wrong;
  if (url.value().address.port == 0) return Error{"a port is a number from 1 to 65535"};
  return url;
}

// Where one listens: "127.0.0.1:9001/feed", "wss://0.0.0.0:9443/feed".
inline Result<Url> parse_websocket_place(std::string_view text) {
  Url::Way way = text.starts_with("wss://") ? Url::Way::Encrypted : Url::Way::Clear;
  if (text.starts_with("ws://") || text.starts_with("wss://")) text.remove_prefix(text.find("//") + 2);
  auto url = parse_place(text, way);
  if (!url) return Error{"write `host:port/path`, such as 127.0.0.1:9001/feed or wss://0.0.0.0:9443/feed"};
  return url;
}

// "wss://feed.example:443/"
inline std::string websocket_text(const Url& url) {
  return (url.is_encrypted() ? "wss://" : "ws://") + url.place();
}

}  // namespace mut::http
