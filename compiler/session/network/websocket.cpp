#include "runtime/connector/websocket/websocket.h"

#include <utility>

#include "compiler/session/network/kind.h"
#include "runtime/http/websocket_url.h"

namespace mut::session {
namespace {

connector::WebSocketTarget target_of_options(const typed::Connector& connector) {
  http::Url url = http::parse_websocket_url(text_option(connector, "connect")).value();  // it was checked
  connector::Tls tls = tls_said(connector, url.is_encrypted() ? "verify" : "off");
  return {std::move(url), text_option(connector, "hello"), std::move(tls), secret_option(connector, "token")};
}

std::string target_text(const typed::Connector& connector) {
  connector::WebSocketTarget target = target_of_options(connector);
  return target.text() + target.tls.text() + (target.token ? ", token " + target.token->text() : "") +
         (target.hello.empty() ? "" : " after " + target.hello);
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  auto line = connector::make_websocket_line(around.env, target_of_options(reading.source.connector));
  return open_line(around, std::move(reading), std::move(line));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  return make_carried_writer(
      around, writing,
      connector::make_websocket_carrier(around.env, target_of_options(writing.emit.connector)));
}

}  // namespace

const NetworkKind& websocket_kind() {
  static const NetworkKind kind{"websocket", target_text, open_source, make_writer, codec::Format::Json};
  return kind;
}

}  // namespace mut::session
