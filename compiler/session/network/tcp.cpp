#include <utility>

#include "compiler/session/network/addresses.h"
#include "compiler/session/network/kind.h"
#include "runtime/connector/tcp/tcp_sink.h"
#include "runtime/connector/tcp/tcp_source.h"

namespace mut::session {
namespace {

std::string target_text(const typed::Connector& connector) {
  TcpTarget target = tcp_target(connector);
  return (target.side == connector::TcpSide::Listen ? "tcp listen " : "tcp connect ") + target.address.text();
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  TcpTarget target = tcp_target(reading.source.connector);
  connector::TcpSourceOptions options;
  options.intake = {"source `" + reading.source.name + "`", target.side, target.address, reading.source.name};
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
                                    {"sink `" + emit.name + "`", emit.name, give_up_ns(emit.connector)}};
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
