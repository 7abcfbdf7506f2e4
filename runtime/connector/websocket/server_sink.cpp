#include <utility>

#include "runtime/connector/tcp/tcp_sink.h"
#include "runtime/connector/websocket/websocket.h"

namespace mut::connector {

std::unique_ptr<SinkWriter> make_websocket_server_sink(env::Env& env, WebSocketListening listening,
                                                       OutboxOptions outbox, env::EventCount* wake,
                                                       std::shared_ptr<Notices> notices) {
  auto listen = [&env, listening = std::move(listening), about = outbox.about, notices] {
    return listen_by_websocket(env, listening, about, notices);
  };
  return make_server_sink(env, std::move(listen), std::move(outbox), wake, std::move(notices));
}

}  // namespace mut::connector
