#include "compiler/session/http/connect.h"

namespace mut::session {

http::Url http_url(const typed::Connector& connector) {
  const typed::Option* listen = connector.find("listen");
  const typed::Option* option = listen != nullptr ? listen : connector.find("post");
  return http::parse_url(option->value.as_text()).value();  // it was checked
}

std::string http_target_text(const typed::Connector& connector) {
  return (connector.find("listen") != nullptr ? "http listen " : "http post ") + http_url(connector).text();
}

}  // namespace mut::session
