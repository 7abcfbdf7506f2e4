// The side of an HTTP source that faces the network: requests that wait to be taken, and their answers.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/connector/encrypted.h"
#include "runtime/connector/http/key_window.h"
#include "runtime/connector/http/token.h"
#include "runtime/connector/notices.h"
#include "runtime/env/env.h"
#include "runtime/http/server.h"
#include "runtime/http/url.h"

namespace mut::connector {

// Of a request. As many bodies may be in memory as there are connections.
constexpr size_t body_bytes_max = 1024 * 1024;
constexpr size_t http_connections_max = 64;
// A request that nobody has begun to take for so long is given back to its sender, nanoseconds.
constexpr int64_t untaken_ns = 2'000'000'000;

struct HttpInboxOptions {
  std::string name;  // of the source
  http::Url url;
  tls::Files files{};             // of one that is encrypted
  std::optional<Secret> token{};  // that who sends has to show
};

// What was sent by one request.
struct Post {
  uint64_t number = 0;
  std::string body;
  std::string peer;
  std::string key;  // empty: none
};

// Threads: one, beside that of its server; stop() from any.
class HttpInbox final : public http::Service {
 public:
  // `wake` (may be null) is rung when a request came. All outlive the inbox.
  HttpInbox(env::Env& env, HttpInboxOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices);
  ~HttpInbox() override;

  // Takes the port. Requests that come wait from here on.
  Status open();
  // The oldest one that waits; it gets its answer by accept() or refuse().
  std::optional<Post> take();
  // All its rows have run.
  void accept(const Post& post, uint64_t records, uint64_t failed);
  // It is none as a whole.
  void refuse(const Post& post, const std::string& why);
  size_t waiting_bytes() const;
  // No more are taken in; those that wait still are.
  void stop();
  // The same, and answers have been sent: the port is free.
  void finish();

 private:
  std::optional<http::Response> begin(uint64_t number, http::Request request) override;
  std::optional<http::Response> take_back(uint64_t number) override;
  // The answer to one that is not a request of this source.
  std::optional<http::Response> refuse_wrong(const http::Request& request);
  std::optional<http::Response> look_up(const std::string& key, const std::string& body);

  env::Env& env_;
  HttpInboxOptions options_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  TokenGate gate_;            // of the thread of the server
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Post> waiting_;
  size_t waiting_bytes_ = 0;
  KeyWindow keys_;
  bool stopped_ = false;

  std::unique_ptr<http::Server> server_;  // last: its thread ends before the rest goes
};

}  // namespace mut::connector
