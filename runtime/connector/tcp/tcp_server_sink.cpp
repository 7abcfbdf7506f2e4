// A sink that others connect to.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "runtime/connector/outbox.h"
#include "runtime/connector/tcp/intake.h"
#include "runtime/connector/tcp/tcp_sink.h"

namespace mut::connector {
namespace {

// Between two looks at clients that take nothing, and at what has arrived.
constexpr int64_t look_ns = 20'000'000;
constexpr int64_t slow_look_ns = 1'000'000'000;

class ServerSink final : public Outbox {
 public:
  ServerSink(env::Env& env, Listen listen, OutboxOptions outbox, env::EventCount* wake,
             std::shared_ptr<Notices> notices)
      : Outbox(env, std::move(outbox), wake, std::move(notices)), listen_(std::move(listen)) {}
  ~ServerSink() override { end(); }

 private:
  using Interest = env::Socket::Interest;
  struct Client {
    std::unique_ptr<env::Socket> socket;
    uint64_t piece = 0;  // that is being sent, counted from the begin of the run
    size_t offset = 0;   // in it, or in the header
    bool header_sent = false;
    std::string header{};
    int64_t moved_ns = 0;
    bool over = false;
  };

  Status open() override {
    auto listener = listen_();
    if (!listener) return listener.error();
    listener_ = std::move(listener).value();
    return Unit{};
  }
  void shut() override {
    clients_.clear();
    listener_ = nullptr;
  }

  void run() override {
    while (true) {
      for (Client& client : clients_) send_some(client);
      cut_off_slow();
      std::erase_if(clients_, [](const Client& client) { return client.over; });
      forget_sent();
      if (finishing() && piece_count() == 0 && all_arrived()) return finish();
      if (waited_enough() && piece_count() > 0) {
        std::string why = clients_.empty() ? ": nobody is connected; " : ": who is connected takes nothing; ";
        return fail({listener_->address() + why + bytes_left_text() + " were not sent"});
      }
      if (waited_enough() && finishing()) return finish();
      rest();
    }
  }

  void send_some(Client& client) {
    while (!client.over) {
      std::string_view next = next_text(client);
      if (next.empty()) return;
      auto wrote = client.socket->write(next);
      if (!wrote) return lose(client, wrote.error());
      if (wrote.value() == 0) return;
      note_moved();
      client.moved_ns = env_.monotonic_ns();
      client.offset += wrote.value();
      if (wrote.value() < next.size()) continue;
      client.offset = 0;
      if (!std::exchange(client.header_sent, true)) continue;
      ++client.piece;
    }
  }

  std::string_view next_text(Client& client) {
    size_t index = static_cast<size_t>(client.piece - first_piece_);
    if (index >= piece_count()) return {};
    if (!client.header_sent) {
      if (client.offset == 0) client.header = header();
      if (!client.header.empty()) return std::string_view(client.header).substr(client.offset);
      client.header_sent = true;
    }
    return std::string_view(piece(index).text).substr(client.offset);
  }

  void lose(Client& client, const Error& why) {
    client.over = true;
    uint64_t unknown = client.socket->unconfirmed_bytes();
    notices_->say_seldom("lost",
                         options_.about + ": " + why.message + "; " + std::to_string(unknown) +
                             " bytes sent there have not arrived",
                         env_.monotonic_ns());
  }

  // What all that are connected have been given.
  void forget_sent() {
    if (clients_.empty()) return;
    uint64_t least = clients_[0].piece;
    for (const Client& client : clients_) least = std::min(least, client.piece);
    for (; first_piece_ < least; ++first_piece_) forget_first();
  }

  // One of several holds up the others only for so long.
  void cut_off_slow() {
    if (clients_.size() < 2 || !full()) return;
    int64_t now_ns = env_.monotonic_ns();
    for (Client& client : clients_) {
      bool waits = client.piece - first_piece_ < piece_count();
      if (waits && now_ns - client.moved_ns >= slow_client_ns)
        lose(client, {client.socket->peer() + " takes nothing and is cut off"});
    }
  }

  bool all_arrived() const {
    return std::all_of(clients_.begin(), clients_.end(),
                       [](const Client& client) { return client.socket->unconfirmed_bytes() == 0; });
  }

  // Also where an edit that is prepared holds the port: who is connected has all of this, and sees its end.
  void finish() {
    for (Client& client : clients_) client.socket->finish_writing();
    clients_.clear();
  }

  void rest() {
    std::vector<env::SocketSet::Entry> entries;
    bool blocked = false;
    for (const Client& client : clients_) {
      bool waits = client.piece - first_piece_ < piece_count();
      blocked = blocked || waits;
      entries.push_back({client.socket.get(), waits ? Interest::ReadOrWrite : Interest::Read});
    }
    bool takes = clients_.size() < connections_max;
    if (takes) entries.push_back({listener_.get()});
    bool looks = blocked || piece_count() > 0;
    set_->wait(entries, finishing() ? look_ns : looks ? slow_look_ns : -1);
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (entries[i].ready) read_away(clients_[i]);
    }
    if (takes && entries.back().ready) accept();
  }

  // What clients say is not asked for. One that closes its side has gone.
  void read_away(Client& client) {
    while (!client.over) {
      auto got = client.socket->read(room_.data(), room_.size());
      if (!got) return lose(client, got.error());
      if (got.value() < 0) return;
      if (got.value() > 0) continue;
      bool took_all = client.piece - first_piece_ == piece_count() && client.socket->unconfirmed_bytes() == 0;
      if (!took_all) return lose(client, {client.socket->peer() + " has gone"});
      client.over = true;
    }
  }

  void accept() {
    auto accepted = listener_->accept_now();
    if (!accepted) {
      notices_->say_seldom("accept",
                           options_.about + " cannot take connections now: " + accepted.error().message,
                           env_.monotonic_ns());
      set_->wait({}, look_ns);
      return;
    }
    if (!accepted.value()) return;
    Client client;
    client.socket = std::move(accepted).value();
    client.moved_ns = env_.monotonic_ns();
    client.piece = first_piece_ + (clients_.empty() ? 0 : piece_count());
    clients_.push_back(std::move(client));
  }

  Listen listen_;
  std::unique_ptr<env::SocketListener> listener_;
  std::vector<Client> clients_;
  uint64_t first_piece_ = 0;  // of those that are kept
  std::array<char, 4096> room_{};
};

}  // namespace

std::unique_ptr<SinkWriter> make_server_sink(env::Env& env, Listen listen, OutboxOptions outbox,
                                             env::EventCount* wake, std::shared_ptr<Notices> notices) {
  return std::make_unique<ServerSink>(env, std::move(listen), std::move(outbox), wake, std::move(notices));
}

std::unique_ptr<SinkWriter> make_tcp_server_sink(env::Env& env, TcpSinkOptions options, env::EventCount* wake,
                                                 std::shared_ptr<Notices> notices) {
  auto listen = [&env, address = options.address, files = options.files, about = options.outbox.about,
                 notices] {
    auto listener = listen_on(env, address, files, about, notices);
    if (listener) {
      notices->say(about + " listens on " + listener.value()->address() +
                   (files.certificate.empty() ? "" : " by TLS"));
    }
    return listener;
  };
  return make_server_sink(env, std::move(listen), std::move(options.outbox), wake, std::move(notices));
}

}  // namespace mut::connector
