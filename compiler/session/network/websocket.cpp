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

bool listens(const typed::Connector& connector) { return connector.find("listen") != nullptr; }

connector::WebSocketListening listening_of_options(const typed::Connector& connector) {
  return {http::parse_websocket_place(text_option(connector, "listen")).value(),  // it was checked
          listening_files(connector), secret_option(connector, "token")};
}

std::string target_text(const typed::Connector& connector) {
  if (listens(connector)) return listening_of_options(connector).text();
  connector::WebSocketTarget target = target_of_options(connector);
  return target.text() + target.tls.text() + (target.token ? ", token " + target.token->text() : "") +
         (target.hello.empty() ? "" : " after " + target.hello);
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  const typed::Source& source = reading.source;
  auto line = listens(source.connector)
                  ? connector::make_websocket_serving_line(around.env, listening_of_options(source.connector),
                                                           "source `" + source.name + "`", around.notices)
                  : connector::make_websocket_line(around.env, target_of_options(source.connector));
  return open_line(around, std::move(reading), std::move(line));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  const typed::Emit& emit = writing.emit;
  if (listens(emit.connector)) {
    return connector::make_websocket_server_sink(around.env, listening_of_options(emit.connector),
                                                 {"sink `" + emit.name + "`", emit.name}, around.wake,
                                                 around.notices);
  }
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
