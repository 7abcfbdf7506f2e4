// Answers requests of HTTP/1.1 on a port: one thread for all connections, bounds for each. Who is slow, wrong
// or silent costs a place and loses it to who comes next; nobody waits for them.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
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
  // How long an answer may be owed before the service is asked to take the request back.
  int64_t take_back_ns = 2'000'000'000;
};

// Who answers. Called on the thread of the server, which serves nobody else meanwhile.
class Service {
 public:
  virtual ~Service() = default;
  // The answer; nothing: it comes by Server::answer() with that number.
  virtual std::optional<Response> begin(uint64_t number, Request request) = 0;
  // The answer of a request that is not to be answered otherwise any more; nothing: it will be.
  virtual std::optional<Response> take_back(uint64_t number) {
    (void)number;
    return std::nullopt;
  }
};

class Server {
 public:
  // All outlive the server.
  Server(env::Env& env, std::unique_ptr<env::SocketListener> listener, ServerLimits limits, Service& service);
  // Sends the answers that were given, as far as they are taken soon, and cuts all connections off.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:9464"
  const std::string& address() const { return listener_->address(); }
  // Any thread: of a request that the service has begun. Nothing where its connection has gone.
  void answer(uint64_t number, Response response);

 private:
  struct Line;
  void run();
  void accept();
  void serve(Line& line, bool ready);
  void read(Line& line);
  void answer_all(Line& line);
  void give_answers();
  // Whether there is a place for another one; where there is not, it is told.
  bool make_room(env::Socket& for_one);
  void say_goodbye();
  void reply(Line& line, const Response& response, Connection then, Body body);
  void send(Line& line);
  int64_t deadline_ns(const Line& line) const;

  env::Env& env_;
  std::unique_ptr<env::SocketListener> listener_;
  ServerLimits limits_;
  Service& service_;
  std::unique_ptr<env::SocketSet> set_;
  uint64_t last_number_ = 0;
  std::mutex mutex_;  // guards answers_
  std::vector<std::pair<uint64_t, Response>> answers_;
  std::vector<std::unique_ptr<Line>> lines_;  // of the thread
  std::string room_;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<env::Thread> thread_;  // last: joins before the rest goes
};

}  // namespace mut::http
