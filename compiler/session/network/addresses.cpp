#include "compiler/session/network/addresses.h"

#include "runtime/http/websocket_url.h"

namespace mut::session {

TcpTarget tcp_target(const typed::Connector& connector) {
  const typed::Option* listen = connector.find("listen");
  const typed::Option* option = listen != nullptr ? listen : connector.find("connect");
  auto side = listen != nullptr ? connector::TcpSide::Listen : connector::TcpSide::Connect;
  return {side, env::parse_tcp_address(option->value.as_text()).value()};  // it was checked
}

http::Url http_url(const typed::Connector& connector) {
  const typed::Option* listen = connector.find("listen");
  const typed::Option* option = listen != nullptr ? listen : connector.find("post");
  return http::parse_url(option->value.as_text()).value();
}

http::Url websocket_url(const typed::Connector& connector) {
  const typed::Option* listen = connector.find("listen");
  const typed::Option* option = listen != nullptr ? listen : connector.find("connect");
  return http::parse_websocket_place(option->value.as_text()).value();
}

}  // namespace mut::session
