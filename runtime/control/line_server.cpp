#include "runtime/control/line_server.h"

#include <atomic>
#include <vector>

namespace mut::control {
namespace {

constexpr size_t read_bytes = 64 * 1024;
// How long a client that still reads holds up the end of the server.
constexpr int64_t goodbye_ns = 500'000'000;

// Lines of a stream of bytes; one that is longer than a line may be is told once, and left out.
class LineReader {
 public:
  template <typename Line, typename TooLong>
  void take(std::string_view bytes, Line line, TooLong too_long) {
    while (!bytes.empty()) {
      size_t end = bytes.find('\n');
      std::string_view piece = bytes.substr(0, end);
      bool over = held_.size() + piece.size() > line_bytes_max;
      if (over && !skips_) too_long();
      skips_ = skips_ || over;
      if (skips_) {
        held_.clear();
      } else {
        held_.append(piece);
      }
      if (end == std::string_view::npos) return;
      if (!skips_) line(held_);
      skips_ = false;
      held_.clear();
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  std::string held_;
  bool skips_ = false;  // until the next line end
};

class Conversation {
 public:
  Conversation(env::Env& env, env::Socket& socket, Dialog& dialog)
      : env_(env), socket_(socket), dialog_(dialog), room_(read_bytes), sent_ns_(env.monotonic_ns()) {}

  // Sends what waits, and answers what came. False when the client sends no more, is gone, or takes nothing.
  bool turn() {
    if (!send() || env_.monotonic_ns() - sent_ns_ > slow_reader_ns) return false;
    // Who does not read its replies is asked for no more requests.
    bool full = unsent_.size() >= unsent_bytes_max;
    auto interest = full              ? env::Socket::Interest::Write
                    : unsent_.empty() ? env::Socket::Interest::Read
                                      : env::Socket::Interest::ReadOrWrite;
    auto event = socket_.wait(interest, unsent_.empty() ? -1 : slow_reader_ns / 10);
    if (full || event == env::Socket::Event::Rung) return true;
    auto got = socket_.read(room_.data(), room_.size());
    if (!got || got.value() == 0) return false;
    if (got.value() > 0) answer({room_.data(), static_cast<size_t>(got.value())});
    return true;
  }

  // What was made until the end, and that line, as far as the client takes it at once.
  void say_goodbye(const std::string& last_line) {
    int64_t until_ns = env_.monotonic_ns() + goodbye_ns;
    bool said = last_line.empty();
    while (send() && env_.monotonic_ns() < until_ns) {
      if (unsent_.empty() && said) return;
      if (unsent_.empty()) {
        unsent_ = last_line + "\n";
        said = true;
      }
      (void)socket_.wait(env::Socket::Interest::Write, goodbye_ns / 10);
    }
  }

 private:
  // False when the client is gone.
  bool send() {
    if (unsent_.size() < unsent_bytes_max) unsent_ += dialog_.take_events(unsent_bytes_max - unsent_.size());
    auto sent = socket_.write(unsent_);
    if (!sent) return false;
    if (sent.value() == unsent_.size() || sent.value() > 0) sent_ns_ = env_.monotonic_ns();
    unsent_.erase(0, sent.value());
    return true;
  }

  void answer(std::string_view bytes) {
    lines_.take(
        bytes,
        [&](std::string_view line) {
          if (!line.empty()) unsent_ += dialog_.answer(line) + "\n";
        },
        [&] {
          std::string why = "the line is longer than " + std::to_string(line_bytes_max) + " bytes";
          unsent_ += dialog_.refuse(why) + "\n";
        });
  }

  env::Env& env_;
  env::Socket& socket_;
  Dialog& dialog_;
  LineReader lines_;
  std::vector<char> room_;
  std::string unsent_;
  int64_t sent_ns_;  // when the client last took something
};

}  // namespace

struct LineServer::Client {
  std::unique_ptr<env::Socket> socket;
  std::atomic<bool> over{false};
  std::unique_ptr<env::Thread> thread;
};

LineServer::LineServer(env::Env& env, std::unique_ptr<env::SocketListener> listener, OpenDialog open)
    : env_(env), listener_(std::move(listener)), open_(std::move(open)) {
  thread_ = env_.start_thread("mut-control", [this] { accept(); });
}

LineServer::~LineServer() { end(""); }

void LineServer::end(std::string_view last_line) {
  if (stop_) return;
  last_line_ = last_line;
  stop_ = true;
  listener_->ring();
  thread_->join();
  std::lock_guard lock(mutex_);
  for (Client& client : clients_) client.socket->ring();
  for (Client& client : clients_) client.thread->join();
}

void LineServer::forget_ended() {
  std::erase_if(clients_, [](Client& client) {
    if (!client.over) return false;
    client.thread->join();
    return true;
  });
}

void LineServer::accept() {
  while (!stop_) {
    auto connected = listener_->accept();
    if (!connected || !connected.value()) return;
    std::lock_guard lock(mutex_);
    forget_ended();
    if (clients_.size() >= clients_max) {
      auto dialog = open_([] {}, [] { return true; });
      std::string why = dialog->refuse(std::to_string(clients_max) + " clients are connected already");
      (void)connected.value()->write(why + "\n");
      continue;
    }
    Client& client = clients_.emplace_back();
    client.socket = std::move(connected).value();
    client.thread = env_.start_thread("mut-client", [this, &client] { serve(client); });
  }
}

void LineServer::serve(Client& client) {
  env::Socket& socket = *client.socket;
  {
    // The dialog goes before the socket: until then it may ring.
    std::unique_ptr<Dialog> dialog = open_([&socket] { socket.ring(); }, [this] { return stop_.load(); });
    Conversation talk(env_, socket, *dialog);
    while (!stop_ && talk.turn()) {
    }
    talk.say_goodbye(stop_ ? last_line_ : "");
  }
  client.over = true;
}

}  // namespace mut::control
