// Messages of WebSocket.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/outbox.h"
#include "runtime/connector/websocket/client.h"
#include "runtime/connector/websocket/listening.h"

namespace mut::connector {

// Each text or binary message is one. At most once: what was sent while there is no connection is lost. `env`
// outlives it.
std::unique_ptr<BrokerLine> make_websocket_line(env::Env& env, WebSocketTarget target);
// Each row is a text message. They have arrived when the other side has answered a ping behind them.
std::unique_ptr<Carrier> make_websocket_carrier(env::Env& env, WebSocketTarget target);

// ---- of the side that listens
// The messages of all that connect. `about`: "source `x`".
std::unique_ptr<BrokerLine> make_websocket_serving_line(env::Env& env, WebSocketListening listening,
                                                        std::string about, std::shared_ptr<Notices> notices);
// Each row is a text message to each that is connected: as of a sink of TCP that listens.
std::unique_ptr<SinkWriter> make_websocket_server_sink(env::Env& env, WebSocketListening listening,
                                                       OutboxOptions outbox, env::EventCount* wake,
                                                       std::shared_ptr<Notices> notices);

}  // namespace mut::connector
