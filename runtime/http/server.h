// Answers requests of HTTP/1.1 on a port: one thread for all connections, bounds for each. Who is slow, wrong
// or silent costs a place and loses it to who comes next; nobody waits for them.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/env/env.h"
#include "runtime/http/message.h"

namespace mut::http {

struct ServerLimits {
  size_t connections = 32;
  ReadLimits read{};
  // Nanoseconds: for a whole request from its first byte on; until the next one begins; in which a client has
  // to take something of its answer.
  int64_t request_ns = 5'000'000'000;
  int64_t idle_ns = 30'000'000'000;
  int64_t answer_ns = 10'000'000'000;
};

class Server {
 public:
  // Called on the thread of the server, which serves nobody else meanwhile.
  using Answer = std::function<Response(const Request&)>;
  Server(env::Env& env, std::unique_ptr<env::SocketListener> listener, ServerLimits limits, Answer answer);
  // Cuts all connections off.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:9464"
  const std::string& address() const { return listener_->address(); }

 private:
  struct Line;
  void run();
  void accept();
  void serve(Line& line, bool ready);
  void read(Line& line);
  void answer_all(Line& line);
  void reply(Line& line, const Response& response, Connection then, Body body);
  void send(Line& line);
  int64_t deadline_ns(const Line& line) const;

  env::Env& env_;
  std::unique_ptr<env::SocketListener> listener_;
  ServerLimits limits_;
  Answer answer_;
  std::unique_ptr<env::SocketSet> set_;
  std::vector<std::unique_ptr<Line>> lines_;  // of the thread
  std::string room_;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<env::Thread> thread_;  // last: joins before the rest goes
};

}  // namespace mut::http
