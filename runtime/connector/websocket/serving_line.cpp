// Messages of those who connect.
#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/connector/tcp/intake.h"
#include "runtime/connector/websocket/websocket.h"
#include "runtime/http/framed_socket.h"

namespace mut::connector {
namespace {

// Unfinished messages of all connections together, bytes: past that the largest is given up, with its
// connection.
constexpr size_t held_bytes_max = 64 * 1024 * 1024;
// While descriptors are short.
constexpr int64_t shortage_ns = 100'000'000;
constexpr uint16_t goes_away = 1001;
constexpr uint16_t too_much = 1009;

class ServingLine final : public BrokerLine {
 public:
  ServingLine(env::Env& env, WebSocketListening listening, std::string about,
              std::shared_ptr<Notices> notices)
      : env_(env), listening_(std::move(listening)), about_(std::move(about)), notices_(std::move(notices)) {}
  ~ServingLine() override { disconnect(); }

  Status connect() override {
    auto listener = listen_by_websocket(env_, listening_, about_, notices_);
    if (!listener) return listener.error();
    listener_ = std::move(listener).value();
    return Unit{};
  }
  void disconnect() noexcept override {
    for (Client& client : clients_) client.socket->say_goodbye(goes_away, "the program takes no more");
    clients_.clear();
    listener_ = nullptr;
  }
  std::string target() const override { return listening_.text(); }
  std::string name_from(uint64_t place) const override { return target() + " from " + std::to_string(place); }

  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    std::vector<env::SocketSet::Entry> entries;
    while (!stopped.load()) {
      for (Client& client : clients_) take_all(client, to);
      give_up_largest();
      std::erase_if(clients_, [](const Client& client) { return client.over; });
      if (!to.has_room()) {
        set.wait({}, -1);
        continue;
      }
      entries.clear();
      for (const Client& client : clients_) entries.push_back({client.socket.get()});
      bool takes = clients_.size() < connections_max;
      if (takes) entries.push_back({listener_.get()});
      set.wait(entries, -1);
      for (size_t i = 0; i < clients_.size(); ++i) {
        if (entries[i].ready) receive(clients_[i]);
      }
      if (takes && entries.back().ready) accept(set);
    }
    return Unit{};
  }

 private:
  struct Client {
    std::unique_ptr<http::FramedSocket> socket;
    bool over = false;
  };

  void accept(env::SocketSet& set) {
    auto came = listener_->accept_now();
    if (!came) {
      notices_->say_seldom("accept", about_ + " cannot take connections now: " + came.error().message,
                           env_.monotonic_ns());
      set.wait({}, shortage_ns);
      return;
    }
    if (!came.value()) return;
    // Whatever the listener gives is one.
    auto* socket = static_cast<http::FramedSocket*>(std::move(came).value().release());
    clients_.push_back({std::unique_ptr<http::FramedSocket>(socket)});
  }

  void receive(Client& client) {
    auto came = client.socket->receive();
    if (!came) lose(client, came.error());
  }

  // Those that are whole, as long as there is room.
  void take_all(Client& client, MessageQueue& to) {
    http::FrameReader::Message message;
    while (!client.over && to.has_room()) {
      auto came = client.socket->next(message);
      if (!came) return lose(client, came.error());
      if (came.value() == http::FramedSocket::Came::Nothing) return;
      client.over = came.value() == http::FramedSocket::Came::End;
      if (!client.over) to.put({std::move(message.payload), place_++});
    }
  }

  void lose(Client& client, const Error& why) {
    client.over = true;
    notices_->say_seldom("broke", about_ + ": a connection broke, " + why.message, env_.monotonic_ns());
  }

  void give_up_largest() {
    size_t sum = 0;
    Client* largest = nullptr;
    for (Client& client : clients_) {
      if (client.over) continue;
      size_t held = client.socket->held_bytes();
      sum += held;
      if (largest == nullptr || held > largest->socket->held_bytes()) largest = &client;
    }
    if (sum <= held_bytes_max) return;
    largest->socket->say_goodbye(too_much, "unfinished messages of all connections take 64 MiB");
    lose(*largest,
         {largest->socket->peer() +
          ": it is given up: unfinished messages of all are more than 64 MiB, and its are the most"});
  }

  env::Env& env_;
  WebSocketListening listening_;
  std::string about_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::SocketListener> listener_;
  std::vector<Client> clients_;
  uint64_t place_ = 0;
};

}  // namespace

std::unique_ptr<BrokerLine> make_websocket_serving_line(env::Env& env, WebSocketListening listening,
                                                        std::string about, std::shared_ptr<Notices> notices) {
  return std::make_unique<ServingLine>(env, std::move(listening), std::move(about), std::move(notices));
}

}  // namespace mut::connector
