#include <utility>

#include "compiler/session/network/addresses.h"
#include "compiler/session/network/kind.h"
#include "runtime/connector/tcp/tcp_sink.h"
#include "runtime/connector/tcp/tcp_source.h"

namespace mut::session {
namespace {

// In the clear where nothing is said of it.
connector::Tls tls_of(const typed::Connector& tcp) {
  if (tcp.find("listen") != nullptr) return {};
  bool named = tcp.find("ca") != nullptr || tcp.find("cert") != nullptr;
  return tls_said(tcp, named ? "verify" : "off");
}

std::string target_text(const typed::Connector& connector) {
  TcpTarget target = tcp_target(connector);
  if (target.side == connector::TcpSide::Listen)
    return "tcp listen " + target.address.text() + connector::text_of(listening_files(connector));
  return "tcp connect " + target.address.text() + tls_of(connector).text();
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  TcpTarget target = tcp_target(reading.source.connector);
  connector::TcpSourceOptions options;
  options.intake = {"source `" + reading.source.name + "`",
                    target.side,
                    target.address,
                    reading.source.name,
                    tls_of(reading.source.connector),
                    listening_files(reading.source.connector)};
  options.format = reading.format;
  options.decode = std::move(reading.decode);
  options.threads = std::move(reading.threads);
  return connector::open_tcp_source(around.env, std::move(options), std::move(reading.record), around.wake,
                                    around.notices);
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  const typed::Emit& emit = writing.emit;
  TcpTarget target = tcp_target(emit.connector);
  connector::TcpSinkOptions options{target.address,
                                    {"sink `" + emit.name + "`", emit.name, give_up_ns(emit.connector)},
                                    tls_of(emit.connector),
                                    listening_files(emit.connector)};
  auto make =
      target.side == connector::TcpSide::Listen ? connector::make_tcp_server_sink : connector::make_tcp_sink;
  return make(around.env, std::move(options), around.wake, around.notices);
}

}  // namespace

const NetworkKind& tcp_kind() {
  static const NetworkKind kind{"tcp", target_text, open_source, make_writer};
  return kind;
}

}  // namespace mut::session
