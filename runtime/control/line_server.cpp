#include "runtime/control/line_server.h"

#include <atomic>
#include <vector>

namespace mut::control {
namespace {

constexpr size_t read_bytes = 64 * 1024;

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

LineServer::~LineServer() {
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
    std::unique_ptr<Dialog> dialog = open_([&socket] { socket.ring(); }, [this] { return stop_.load(); });
    LineReader lines;
    std::vector<char> room(read_bytes);
    std::string unsent;
    int64_t sent_ns = env_.monotonic_ns();
    bool open = true;
    while (open && !stop_) {
      if (unsent.size() < unsent_bytes_max) unsent += dialog->take_events(unsent_bytes_max - unsent.size());
      if (!unsent.empty()) {
        auto sent = socket.write(unsent);
        if (!sent) break;
        if (sent.value() > 0) sent_ns = env_.monotonic_ns();
        unsent.erase(0, sent.value());
      } else {
        sent_ns = env_.monotonic_ns();
      }
      if (env_.monotonic_ns() - sent_ns > slow_reader_ns) break;
      // Who does not read its replies is asked for no more requests.
      bool full = unsent.size() >= unsent_bytes_max;
      auto interest = full             ? env::Socket::Interest::Write
                      : unsent.empty() ? env::Socket::Interest::Read
                                       : env::Socket::Interest::ReadOrWrite;
      if (socket.wait(interest, unsent.empty() ? -1 : slow_reader_ns / 10) == env::Socket::Event::Rung ||
          full)
        continue;
      auto got = socket.read(room.data(), room.size());
      if (!got || got.value() == 0) break;
      if (got.value() < 0) continue;
      lines.take(
          {room.data(), static_cast<size_t>(got.value())},
          [&](std::string_view line) {
            if (!line.empty() && !stop_) unsent += dialog->answer(line) + "\n";
          },
          [&] {
            unsent +=
                dialog->refuse("the line is longer than " + std::to_string(line_bytes_max) + " bytes") + "\n";
          });
    }
    // The dialog goes before the socket: until then it may ring.
  }
  client.over = true;
}

}  // namespace mut::control
