// What is said before a connection is one of WebSocket, of the side that listens.
#include <array>
#include <utility>

#include "runtime/http/framed_socket.h"

namespace mut::http {
namespace {

using Refuse = std::function<std::optional<Response>(const Request&)>;

class Upgrade final : public env::Entrance {
 public:
  Upgrade(env::Env& env, std::unique_ptr<env::Socket> below, const Refuse& refuse)
      : env_(env), below_(std::move(below)), refuse_(refuse) {}

  Result<Agreed> move() override {
    while (answer_.empty()) {
      auto got = below_->read(room_.data(), room_.size());
      if (!got) return got.error();
      if (got.value() < 0) return Agreed::NotYet;
      if (got.value() == 0) return Error{"it went before it had asked for WebSocket"};
      look(reader_.take({room_.data(), static_cast<size_t>(got.value())}));
    }
    return send();
  }
  env::Waited::Interest interest() const override {
    return answer_.empty() ? env::Waited::Interest::Read : env::Waited::Interest::Write;
  }
  env::Socket& below() const override { return *below_; }
  std::unique_ptr<env::Socket> take() override {
    return std::make_unique<FramedSocket>(env_, std::move(below_));
  }

 private:
  void look(RequestReader::State state) {
    if (state == RequestReader::State::Wrong) return refuse(reader_.refusal());
    if (state != RequestReader::State::Whole) return;
    Request request = reader_.take_request();
    request.peer = below_->peer();
    auto refused = refuse_(request);
    // Frames come behind the answer.
    if (!refused && reader_.take("") != RequestReader::State::Nothing)
      refused = refusal(400, "nothing is sent before WebSocket is agreed to");
    if (refused) return refuse(*refused);
    answer_ = upgrade_answer(request);
  }

  void refuse(const Response& why) {
    answer_ = bytes_of(why, Connection::Closes, Body::Sent, env_.wall_ns());
    refused_ = Error{"its request was refused: " + status_text(why.status)};
  }

  Result<Agreed> send() {
    while (sent_ < answer_.size()) {
      auto wrote = below_->write(std::string_view(answer_).substr(sent_));
      if (!wrote) return wrote.error();
      if (wrote.value() == 0) return Agreed::NotYet;
      sent_ += wrote.value();
    }
    if (!refused_) return Agreed::Yes;
    below_->finish_writing();
    return *refused_;
  }

  env::Env& env_;
  std::unique_ptr<env::Socket> below_;
  const Refuse& refuse_;
  RequestReader reader_{ReadLimits{}};
  std::string answer_;
  size_t sent_ = 0;
  std::optional<Error> refused_;
  std::array<char, 4096> room_{};
};

}  // namespace

std::unique_ptr<env::SocketListener> make_websocket_listener(env::Env& env,
                                                             std::unique_ptr<env::SocketListener> below,
                                                             Refuse refuse,
                                                             std::function<void(const Error&)> refused) {
  env::Screening screening;
  screening.refused = std::move(refused);
  screening.begin = [&env, refuse = std::move(refuse)](std::unique_ptr<env::Socket> came) {
    return std::make_unique<Upgrade>(env, std::move(came), refuse);
  };
  return env::make_screened_listener(env, std::move(below), std::move(screening));
}

}  // namespace mut::http
