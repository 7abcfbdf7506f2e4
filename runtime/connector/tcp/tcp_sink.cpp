// A sink that connects.
#include "runtime/connector/tcp/tcp_sink.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "runtime/connector/backoff.h"
#include "runtime/connector/outbox.h"
#include "runtime/connector/tcp/intake.h"

namespace mut::connector {
namespace {

// Between two looks at what the other machine has confirmed.
constexpr int64_t look_ns = 20'000'000;

class TcpSink final : public Outbox {
 public:
  TcpSink(env::Env& env, TcpSinkOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices)
      : Outbox(env, std::move(options.outbox), wake, std::move(notices)),
        address_(std::move(options.address)),
        tls_(std::move(options.tls)),
        backoff_(env.random_seed()) {}
  ~TcpSink() override { end(); }

 private:
  using Interest = env::Socket::Interest;

  Status open() override {
    auto connected = connect_to(env_, address_, tls_, connect_wait_ns, given_up_);
    if (!connected) return connected.error();
    begin_connection(std::move(connected).value());
    link_.emplace(notices_->links(), "sink", options_.name);
    return Unit{};
  }

  void shut() override {
    socket_ = nullptr;
    link_.reset();
  }

  void run() override {
    lost_ns_ = env_.monotonic_ns();
    while (true) {
      if (!socket_) {
        if (!connect_again()) return;
        continue;
      }
      if (!send_some()) continue;
      if (finishing() && unsent() == 0 && confirm()) {
        socket_->finish_writing();
        socket_ = nullptr;  // one that begins again connects again
        return;
      }
      if (waited_enough()) {
        return fail(
            {address_.text() + ": takes nothing; " + bytes_left_text() + " are not known to have arrived"});
      }
      rest();
    }
  }

  // As much as fits now; false where the connection is lost.
  bool send_some() {
    while (true) {
      std::string_view next = next_text();
      if (next.empty()) return true;
      auto wrote = socket_->write(next);
      if (!wrote) return lose(wrote.error());
      if (wrote.value() == 0) return true;
      note_moved();
      written_ += wrote.value();
      offset_ += wrote.value();
      if (wrote.value() == next.size()) finish_text();
      confirm();
    }
  }

  // Where on this connection what is written next begins: its header, then the first piece that is not sent.
  std::string_view next_text() {
    if (!header_sent_) {
      if (unsent() == 0) return {};
      if (offset_ == 0) header_ = header();
      if (!header_.empty()) return std::string_view(header_).substr(offset_);
      header_sent_ = true;
    }
    return unsent() == 0 ? std::string_view()
                         : std::string_view(piece(sent_ends_.size()).text).substr(offset_);
  }
  void finish_text() {
    offset_ = 0;
    if (!header_sent_) {
      header_sent_ = true;
    } else {
      sent_ends_.push_back(written_);
    }
  }
  size_t unsent() const { return piece_count() - sent_ends_.size(); }

  // Lets go of what has arrived at the other machine. Whether all that was sent has.
  bool confirm() {
    uint64_t unconfirmed = socket_->unconfirmed_bytes();
    uint64_t arrived = written_ - std::min(written_, unconfirmed);
    if (arrived > arrived_) note_moved();
    arrived_ = std::max(arrived_, arrived);
    while (!sent_ends_.empty() && sent_ends_.front() <= arrived) {
      sent_ends_.pop_front();
      forget_first();
    }
    return sent_ends_.empty();
  }

  void rest() {
    bool blocked = unsent() > 0;
    Interest interest = !peer_writes_ ? (blocked ? Interest::Write : Interest::None)
                        : blocked     ? Interest::ReadOrWrite
                                      : Interest::Read;
    bool looks = !sent_ends_.empty() || finishing();
    std::array<env::SocketSet::Entry, 1> entries{{{socket_.get(), interest}}};
    set_->wait(entries, looks ? look_ns : blocked ? drain_wait_ns / 10 : -1);
    (void)confirm();
    if (!entries[0].ready) return;
    if (interest == Interest::None) {
      (void)lose({address_.text() + " has closed the connection"});
    } else {
      read_away();
    }
  }

  // What the other side says is not asked for; that it has ended says nothing about what it reads.
  void read_away() {
    while (true) {
      auto got = socket_->read(room_.data(), room_.size());
      if (!got) {
        (void)lose(got.error());
        return;
      }
      if (got.value() == 0) peer_writes_ = false;
      if (got.value() <= 0) return;
    }
  }

  void begin_connection(std::unique_ptr<env::Socket> socket) {
    socket_ = std::move(socket);
    begun_ns_ = env_.monotonic_ns();
    sent_ends_.clear();
    written_ = arrived_ = 0;
    offset_ = 0;
    header_sent_ = false;
    peer_writes_ = true;
  }

  bool lose(const Error& why) {
    int64_t now_ns = env_.monotonic_ns();
    backoff_.note_lasted(now_ns - begun_ns_);
    lost_ns_ = now_ns;
    link_->note_lost(why.message);
    notices_->say_seldom("lost",
                         options_.about + ": the connection was lost, " + why.message +
                             "; connecting again, " + std::to_string(written_ - arrived_) +
                             " bytes that were not confirmed are sent again",
                         now_ns);
    socket_ = nullptr;
    sent_ends_.clear();
    why_ = why;
    return false;
  }

  // One attempt. False: it has failed, or the run ends and nothing is left.
  bool connect_again() {
    int64_t until_ns = env_.monotonic_ns() + backoff_.next_ns();
    while (env_.monotonic_ns() < until_ns) {
      if (finishing() && piece_count() == 0) return false;
      if (!may_wait()) return false;
      set_->wait({}, std::max<int64_t>(until_ns - env_.monotonic_ns(), 0));
    }
    auto connected = connect_to(env_, address_, tls_, connect_wait_ns, given_up_);
    if (!connected) {
      why_ = connected.error();
      link_->note_lost(why_.message);
      notices_->say_seldom("refused", options_.about + ": " + why_.message, env_.monotonic_ns());
      return may_wait();
    }
    begin_connection(std::move(connected).value());
    link_->note_made_again();
    notices_->say_seldom("again",
                         options_.about + " is connected to " + address_.text() + " again, after " +
                             std::to_string((begun_ns_ - lost_ns_) / 1'000'000) + " ms",
                         begun_ns_);
    return true;
  }

  bool may_wait() {
    bool late = env_.monotonic_ns() - lost_ns_ >= options_.give_up_ns;
    if (!late && !waited_enough()) return true;
    fail({address_.text() + ": no connection for " +
          std::to_string((env_.monotonic_ns() - lost_ns_) / 1'000'000'000) + " s (" + why_.message + "); " +
          bytes_left_text() + " were not sent"});
    return false;
  }

  env::TcpAddress address_;
  Tls tls_;
  std::unique_ptr<env::Socket> socket_;
  Backoff backoff_;
  std::optional<Link> link_;  // while it is open
  int64_t begun_ns_ = 0;
  int64_t lost_ns_ = 0;
  Error why_;  // why there is no connection
  // Of this connection, in bytes: what was written, and how much of it has arrived at least.
  uint64_t written_ = 0;
  uint64_t arrived_ = 0;
  std::deque<uint64_t> sent_ends_;  // where the pieces that were sent whole and are still kept end
  size_t offset_ = 0;               // in the header, or in the piece behind those
  bool header_sent_ = false;
  std::string header_;
  bool peer_writes_ = true;  // until it says that it does not any more
  std::array<char, 4096> room_{};
};

}  // namespace

std::unique_ptr<SinkWriter> make_tcp_sink(env::Env& env, TcpSinkOptions options, env::EventCount* wake,
                                          std::shared_ptr<Notices> notices) {
  return std::make_unique<TcpSink>(env, std::move(options), wake, std::move(notices));
}

}  // namespace mut::connector
