// Messages of WebSocket, of the side that connects.
#pragma once
#include <memory>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/websocket/client.h"

namespace mut::connector {

// Each text or binary message is one. At most once: what was sent while there is no connection is lost. `env`
// outlives it.
std::unique_ptr<BrokerLine> make_websocket_line(env::Env& env, WebSocketTarget target);
// Each row is a text message. They have arrived when the other side has answered a ping behind them.
std::unique_ptr<Carrier> make_websocket_carrier(env::Env& env, WebSocketTarget target);

}  // namespace mut::connector
