// The side of a TCP source that faces the network: connections that come or are made, and their bytes.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connector/backoff.h"
#include "runtime/connector/encrypted.h"
#include "runtime/connector/memory/memory.h"
#include "runtime/connector/notices.h"
#include "runtime/env/env.h"

namespace mut::connector {

enum class TcpSide : uint8_t { Connect, Listen };

// Who comes while there are so many waits until one of them has gone.
constexpr size_t connections_max = 256;
// Until a connection is there or counts as refused, nanoseconds.
constexpr int64_t connect_wait_ns = 5'000'000'000;

struct TcpIntakeOptions {
  std::string about;  // "source `x`": begins what it says
  TcpSide side = TcpSide::Connect;
  env::TcpAddress address;
  std::string name{};  // of the source
  Tls tls{};           // of one that connects
  tls::Files files{};  // of one that listens
};

// Reads on a thread of its own, at most so far ahead of who takes the text: then the other side has to wait.
// Threads: one, beside its own.
class TcpIntake {
 public:
  struct Connection {
    std::string peer;
    std::shared_ptr<TextQueue> text;  // fails where the connection broke
  };

  // `wake` (may be null) is rung when text came, or an end. All outlive the intake.
  TcpIntake(env::Env& env, TcpIntakeOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices);
  ~TcpIntake();

  // Takes the port, or makes the first connection. Nothing is read before start().
  Status open();
  void start();
  // Those that came since the last call, in that order.
  std::vector<Connection> take_new();
  // What connections have received that were not taken yet.
  size_t new_bytes() const;
  // Nothing more is wanted of the connection with this text.
  void cut_off(TextQueue& text);
  // Text was taken: there may be room for more.
  void note_taken();
  // Any thread: nothing is read any more, soon.
  void stop();
  // The same, and it has happened: the port is free, and what was read is with the connections.
  void finish();

 private:
  struct Line {
    std::unique_ptr<env::Socket> socket;
    std::shared_ptr<TextQueue> text;
    int64_t begun_ns = 0;
    bool over = false;
  };
  Result<std::unique_ptr<env::Socket>> connect() {
    return connect_to(env_, options_.address, options_.tls, connect_wait_ns, stopped_);
  }
  void run();
  void add(std::unique_ptr<env::Socket> socket);
  void read(Line& line);
  void accept();
  void connect_again();
  bool has_room() const;
  void lose(Line& line, const Error& why);

  env::Env& env_;
  TcpIntakeOptions options_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::SocketSet> set_;
  std::unique_ptr<env::SocketListener> listener_;
  // Of the thread.
  std::vector<Line> lines_;
  std::string room_;
  Backoff backoff_;
  std::optional<Link> link_;        // of one that connects
  std::optional<int64_t> lost_ns_;  // since when there is no connection

  mutable std::mutex mutex_;  // guards what came
  std::vector<Connection> came_;
  std::atomic<bool> held_back_{false};  // until text is taken
  std::atomic<bool> stopped_{false};
  std::unique_ptr<env::Thread> thread_;  // last: joins before the rest goes
};

}  // namespace mut::connector
