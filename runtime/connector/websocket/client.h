// A connection of WebSocket to another program.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"
#include "runtime/http/websocket.h"
#include "runtime/http/websocket_url.h"

namespace mut::connector {

struct WebSocketTarget {
  http::Url url;
  std::string hello;  // sent first on each connection; empty: nothing
  Tls tls{};
  std::optional<Secret> token{};  // that is shown when a connection is asked for
  // "websocket ws://127.0.0.1:8080/feed"
  std::string text() const { return "websocket " + http::websocket_text(url); }
};

// Without a word from the other side for so long it is asked by a ping; for twice as long it is lost.
// Nanoseconds.
constexpr int64_t silence_ns = 20'000'000'000;

// Answers pings while it reads. Threads: one at a time.
class WebSocketClient {
 public:
  WebSocketClient(env::Env& env, WebSocketTarget target) : env_(env), target_(std::move(target)) {}
  ~WebSocketClient() { disconnect(); }
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  // Until the other side has agreed, at most `timeout_ns`.
  Status connect(int64_t timeout_ns, const std::atomic<bool>& given_up);
  // Says goodbye, as far as that fits.
  void disconnect() noexcept;
  const WebSocketTarget& target() const { return target_; }

  void queue(http::Opcode opcode, std::string_view payload);
  // Waits in `set` until something can be read, what is queued can go on, somebody rings or `timeout_ns` are
  // over; reads and writes what is possible. Fails where the connection is lost.
  Status move(env::SocketSet& set, int64_t timeout_ns);
  bool all_sent() const { return sent_ == out_.size(); }
  // What has come; nothing: move() has to bring more.
  Result<std::optional<http::FrameReader::Message>> next();
  // When something came, and when something went, last; by the steady clock.
  int64_t heard_ns() const { return heard_ns_; }
  int64_t wrote_ns() const { return wrote_ns_; }

 private:
  Status write_some();
  // How many bytes came.
  Result<size_t> read_some();
  Status agree(int64_t until_ns);

  env::Env& env_;
  WebSocketTarget target_;
  std::unique_ptr<env::Socket> socket_;
  http::FrameReader frames_;
  std::string came_;  // before the other side has agreed
  bool agreed_ = false;
  std::string out_;
  size_t sent_ = 0;  // of it
  int64_t heard_ns_ = 0;
  int64_t wrote_ns_ = 0;
};

}  // namespace mut::connector
