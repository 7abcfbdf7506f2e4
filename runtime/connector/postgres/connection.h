// One connection to a PostgreSQL server, which waits for nothing longer than it is told to.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/postgres/libpq.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct PostgresServer {
  env::TcpAddress address;
  std::string database;
  std::string user;
  std::optional<Secret> password;
  Tls tls;

  // "127.0.0.1:5432/shop"
  std::string text() const { return address.text() + "/" + database; }
};

// What the server, or the way to it, has against something.
struct PostgresTrouble {
  std::string message;
  std::string state{};  // SQLSTATE; empty: the connection failed
  // Whether the same may work later, on another connection.
  bool passes() const;
  Trouble trouble() const;
};

// Threads: one at a time, interrupt() apart. After trouble of the connection only close() and connect() are
// of use.
class PostgresConnection {
 public:
  struct Clear {
    decltype(&::PQclear) clear = nullptr;
    void operator()(PGresult* result) const { clear(result); }
  };
  using Reply = std::unique_ptr<PGresult, Clear>;
  using Failed = std::optional<PostgresTrouble>;

  PostgresConnection(env::Env& env, PostgresServer server);
  ~PostgresConnection();

  // Loads the library, reads the password, and sets what a session here needs: times in UTC.
  Failed connect();
  void close() noexcept;
  bool connected() const { return connection_ != nullptr; }
  const PostgresServer& server() const { return server_; }

  // Several statements, as one transaction unless they say otherwise. `reply`: of the last one.
  Failed run(const std::string& sql, int64_t wait_ns = carrier_wait_ns, Reply* reply = nullptr);
  // One, with values for $1, $2.
  Failed run(const std::string& sql, const std::vector<std::string>& values,
             int64_t wait_ns = carrier_wait_ns, Reply* reply = nullptr);
  // Whether the server could run it.
  Failed try_out(const std::string& sql);
  // `sql`: COPY … FROM STDIN.
  Failed copy_in(const std::string& sql, std::string_view rows, int64_t wait_ns);
  // Rows as they come: send(), then next_row() until it gives none. Waits for the first without limit.
  Failed send(const std::string& sql, const std::vector<std::string>& values);
  Failed next_row(Reply& row);
  // What was said to a channel, after LISTEN. Waits until there is something, or `wait_ns` are over.
  Failed next_notification(std::optional<std::string>& payload, int64_t wait_ns);

  // The first value of the first row; nothing where there is none.
  std::optional<std::string> value(const Reply& reply, int column = 0) const;
  // "INSERT 0 1"
  std::string command_of(const Reply& reply) const;

  // Any thread: whatever waits fails, now and from here on.
  void interrupt() noexcept;

 private:
  enum class Woke : uint8_t { Ready, Late, Interrupted };
  Woke wait(env::Socket::Interest interest, int64_t until_ns);
  int64_t until(int64_t wait_ns) const;
  Failed begin();
  Failed poll_connection(int64_t until_ns);
  Failed flush(int64_t until_ns);
  Failed next_reply(Reply& reply, int64_t until_ns);
  Failed finish_replies(int64_t until_ns, Reply* reply);
  Failed put(std::string_view rows, int64_t until_ns);
  PostgresTrouble late(Woke woke) const;
  PostgresTrouble broken() const;
  PostgresTrouble trouble_of(const PGresult& result) const;
  Reply own(PGresult* result) const { return {result, {pq_->clear}}; }

  env::Env& env_;
  PostgresServer server_;
  std::unique_ptr<env::SocketSet> set_;
  std::shared_ptr<const Libpq> pq_;
  PGconn* connection_ = nullptr;
  std::atomic<bool> interrupted_{false};
};

}  // namespace mut::connector
