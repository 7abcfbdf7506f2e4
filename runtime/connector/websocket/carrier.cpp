#include <algorithm>
#include <utility>

#include "runtime/connector/websocket/websocket.h"

namespace mut::connector {
namespace {

class WebSocketCarrier final : public Carrier {
 public:
  WebSocketCarrier(env::Env& env, WebSocketTarget target)
      : env_(env), client_(env, std::move(target)), set_(env.make_socket_set()) {}

  std::optional<Trouble> connect() override {
    Status connected = client_.connect(carrier_wait_ns, never_);
    if (!connected) return Trouble{connected.error()};
    return std::nullopt;
  }
  void disconnect() noexcept override { client_.disconnect(); }

  std::optional<Trouble> deliver(const Delivery& delivery) override {
    for (std::string_view rows = delivery.rows; !rows.empty();) {
      size_t end = std::min(rows.find('\n'), rows.size());
      client_.queue(http::Opcode::Text, rows.substr(0, end));
      rows.remove_prefix(std::min(end + 1, rows.size()));
    }
    std::string number = std::to_string(++deliveries_);
    client_.queue(http::Opcode::Ping, number);
    int64_t begun_ns = env_.monotonic_ns();
    while (true) {
      auto message = client_.next();
      if (!message) return Trouble{message.error()};
      if (message.value()) {
        bool answer = message.value()->opcode == http::Opcode::Pong && message.value()->payload == number;
        if (answer) return std::nullopt;
        continue;  // what the other side says is not asked for
      }
      int64_t moved_ns = std::max({begun_ns, client_.heard_ns(), client_.wrote_ns()});
      if (env_.monotonic_ns() - moved_ns >= carrier_wait_ns) return Trouble{Error{"it does not answer"}};
      Status moved = client_.move(*set_, look_ns);
      if (!moved) return Trouble{moved.error()};
    }
  }

  std::string target() const override { return client_.target().text(); }

 private:
  static constexpr int64_t look_ns = 1'000'000'000;
  env::Env& env_;
  WebSocketClient client_;
  std::unique_ptr<env::SocketSet> set_;
  std::atomic<bool> never_{false};
  uint64_t deliveries_ = 0;
};

}  // namespace

std::unique_ptr<Carrier> make_websocket_carrier(env::Env& env, WebSocketTarget target) {
  return std::make_unique<WebSocketCarrier>(env, std::move(target));
}

}  // namespace mut::connector
