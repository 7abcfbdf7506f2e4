#include <algorithm>
#include <utility>

#include "runtime/connector/websocket/websocket.h"

namespace mut::connector {
namespace {

class WebSocketLine final : public BrokerLine {
 public:
  WebSocketLine(env::Env& env, WebSocketTarget target) : env_(env), client_(env, std::move(target)) {}

  Status connect() override { return client_.connect(line_wait_ns, never_); }
  void disconnect() noexcept override { client_.disconnect(); }
  std::string target() const override { return client_.target().text(); }
  std::string name_from(uint64_t place) const override { return target() + " from " + std::to_string(place); }

  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    asked_ns_ = env_.monotonic_ns();
    pinged_ = false;
    while (!stopped.load()) {
      if (!to.has_room()) {
        set.wait({}, -1);
        asked_ns_ = env_.monotonic_ns();  // what was not read could not be heard
        continue;
      }
      auto message = client_.next();
      if (!message) return message.error();
      if (!message.value()) {
        Status moved = client_.move(set, silence_ns);
        if (moved) moved = listen();
        if (!moved) return moved;
      } else if (message.value()->opcode != http::Opcode::Pong) {
        to.put({std::move(message.value()->payload), place_++});
      }
    }
    return Unit{};
  }

 private:
  // Whether the other side is still there.
  Status listen() {
    int64_t now_ns = env_.monotonic_ns();
    int64_t silent_ns = now_ns - std::max(client_.heard_ns(), asked_ns_);
    if (client_.heard_ns() >= asked_ns_) pinged_ = false;
    if (silent_ns < silence_ns) return Unit{};
    if (pinged_) return Error{target() + ": it does not answer"};
    client_.queue(http::Opcode::Ping, "");
    pinged_ = true;
    asked_ns_ = now_ns;
    return Unit{};
  }

  env::Env& env_;
  WebSocketClient client_;
  std::atomic<bool> never_{false};
  uint64_t place_ = 0;
  int64_t asked_ns_ = 0;
  bool pinged_ = false;  // and nothing came since
};

}  // namespace

std::unique_ptr<BrokerLine> make_websocket_line(env::Env& env, WebSocketTarget target) {
  return std::make_unique<WebSocketLine>(env, std::move(target));
}

}  // namespace mut::connector
