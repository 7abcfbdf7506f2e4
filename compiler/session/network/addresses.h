// Where connectors of TCP, HTTP and WebSocket listen or connect to.
#pragma once
#include <string>

#include "compiler/typed/program.h"
#include "runtime/connector/tcp/intake.h"
#include "runtime/env/tcp_address.h"
#include "runtime/http/url.h"

namespace mut::session {

struct TcpTarget {
  connector::TcpSide side = connector::TcpSide::Connect;
  env::TcpAddress address;
};
TcpTarget tcp_target(const typed::Connector& connector);
http::Url http_url(const typed::Connector& connector);
http::Url websocket_url(const typed::Connector& connector);

}  // namespace mut::session
