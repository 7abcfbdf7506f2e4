// A connection of WebSocket that has come, over one that carries its bytes.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/env/screened_listener.h"
#include "runtime/http/websocket.h"

namespace mut::http {

// Without a word from the other side for so long it is asked by a ping; for twice as long it is lost.
// Nanoseconds.
constexpr int64_t websocket_silence_ns = 20'000'000'000;

// As a socket: what is written are lines, each goes out as a text message when it is whole; read() throws
// messages away, and tells of the end. Pings are answered while it is read or waited for.
class FramedSocket final : public env::Socket {
 public:
  FramedSocket(env::Env& env, std::unique_ptr<env::Socket> below)
      : env_(env), below_(std::move(below)), heard_ns_(env.monotonic_ns()) {}

  int number() const override { return below_->number(); }
  void list_below(Interest wanted, std::vector<Below>& to) const override;
  bool holds(Interest wanted) const override;
  int64_t due_ns() const override;
  bool advance(Interest wanted) override;

  Event wait(Interest wanted, int64_t timeout_ns) override;
  void ring() noexcept override { below_->ring(); }
  Result<int64_t> read(char* to, size_t bytes) override;
  Result<size_t> write(std::string_view bytes) override;
  uint64_t unconfirmed_bytes() const override;
  // Says that all is said.
  void finish_writing() noexcept override;
  const std::string& peer() const override { return below_->peer(); }

  // ---- messages, in the place of read()
  enum class Came : uint8_t { Message, Nothing, End };
  // Text or binary, of what receive() has brought. Fails where the other side breaks the protocol.
  Result<Came> next(FrameReader::Message& to);
  // What has come, up to 64 KiB. Whether next() may have something; else nothing has come.
  Result<bool> receive();
  // Of what is no message yet.
  size_t held_bytes() const { return frames_.held_bytes(); }
  // Ends it, and says why: close_payload() has the codes.
  void say_goodbye(uint16_t code, std::string_view why) noexcept;

 private:
  Interest interest_below(Interest wanted) const;
  Status send();
  void ask_whether_it_is_there();
  Error broke(const Error& why);

  env::Env& env_;
  std::unique_ptr<env::Socket> below_;
  FrameReader frames_{Masks::Wanted};
  std::string line_;  // that is not whole yet
  std::string unsent_;
  int64_t heard_ns_;
  std::optional<int64_t> asked_ns_;  // nothing came since
  enum class Goodbye : uint8_t { No, Queued, Said } goodbye_ = Goodbye::No;
  bool ended_ = false;
  std::optional<Error> broken_;
};

// Gives connections, each a FramedSocket, once their request was agreed to. `refuse`: what is answered to a
// request that is not of such a connection. Others are refused as by `refused`.
std::unique_ptr<env::SocketListener> make_websocket_listener(
    env::Env& env, std::unique_ptr<env::SocketListener> below,
    std::function<std::optional<Response>(const Request&)> refuse, std::function<void(const Error&)> refused);

}  // namespace mut::http
