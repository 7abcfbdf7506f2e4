// A port where others connect by WebSocket.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/encrypted.h"
#include "runtime/connector/secret.h"
#include "runtime/http/url.h"

namespace mut::connector {

struct WebSocketListening {
  http::Url url;
  tls::Files files{};             // of one that is encrypted
  std::optional<Secret> token{};  // that who connects has to show
  // "websocket listen ws://127.0.0.1:9001/feed"
  std::string text() const;
};

// Takes the port, and says so. Its connections are http::FramedSockets. `about`: "source `x`".
Result<std::unique_ptr<env::SocketListener>> listen_by_websocket(env::Env& env,
                                                                 const WebSocketListening& listening,
                                                                 const std::string& about,
                                                                 const std::shared_ptr<Notices>& notices);

}  // namespace mut::connector
