#include "runtime/connector/postgres/connection.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "runtime/connector/postgres/sql.h"
#include "runtime/connector/tls_trouble.h"

namespace mut::connector {
namespace {

class LibrarySocket final : public env::Waited {
 public:
  explicit LibrarySocket(int number) : number_(number) {}
  int number() const override { return number_; }

 private:
  int number_;
};

// libpq prints what a server remarks unless somebody takes it.
void take_notice(void*, const char*) {}

// What is handed to libpq at once; bytes.
constexpr size_t copy_piece_bytes = 64 * 1024;

// A session whose texts are exact and do not depend on how the server is set up; what waits for a lock, or
// for this program, gives up before it is given up. Rows that a checkpoint lets go are durable. The sign in
// front of an interval is that of all its parts, as it is here: -1h30m.
constexpr const char* session_sql =
    "SET client_min_messages = warning; SET datestyle = 'ISO'; SET intervalstyle = 'sql_standard';"
    "SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex';"
    "SET lock_timeout = '8s'; SET idle_in_transaction_session_timeout = '60s';"
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = "
    "'off'";

const char* mode_of(Tls::Check check) {
  switch (check) {
    case Tls::Check::Off:
      return "disable";
    case Tls::Check::Require:
      return "require";
    case Tls::Check::Verify:
      return "verify-full";
  }
  return "verify-full";
}

}  // namespace

bool PostgresTrouble::passes() const {
  if (state.empty()) return true;
  std::string_view kind = std::string_view(state).substr(0, 2);
  for (std::string_view passing : {"08", "40", "53", "57", "58"}) {
    if (kind == passing) return true;
  }
  // A lock that others have, a server that has become one for reading alone, a session that was idle.
  return state == "55P03" || state == "55006" || state == "25006" || state == "25P03";
}

Trouble PostgresTrouble::trouble() const {
  return {{message}, passes() ? Trouble::Kind::Passes : Trouble::Kind::ForGood};
}

PostgresConnection::PostgresConnection(env::Env& env, PostgresServer server)
    : env_(env), server_(std::move(server)), set_(env.make_socket_set()) {}

PostgresConnection::~PostgresConnection() { close(); }

void PostgresConnection::interrupt() noexcept {
  interrupted_.store(true);
  set_->ring();
}

void PostgresConnection::close() noexcept {
  if (connection_ != nullptr) pq_->finish(connection_);
  connection_ = nullptr;
}

// ---- connecting

PostgresConnection::Failed PostgresConnection::connect() {
  close();
  if (!pq_) {
    auto loaded = Libpq::load(env_);
    if (!loaded) return PostgresTrouble{loaded.error().message, "0A000"};
    pq_ = std::move(loaded).value();
  }
  int64_t until_ns = until(carrier_wait_ns);
  Failed failed = begin();
  if (!failed) failed = poll_connection(until_ns);
  if (!failed) {
    pq_->set_verbosity(connection_, PQERRORS_DEFAULT);
    pq_->set_nonblocking(connection_, 1);
    failed = run(session_sql);
  }
  if (failed) close();
  return failed;
}

PostgresConnection::Failed PostgresConnection::begin() {
  std::string password;
  if (server_.password) {
    auto read = server_.password->read(env_);
    if (!read) return PostgresTrouble{read.error().message};
    password = std::move(read).value();
  }
  if (Status there = check_tls_files(env_, server_.tls); !there)
    return PostgresTrouble{there.error().message};
  std::string port = std::to_string(server_.address.port);
  std::vector<std::pair<const char*, const char*>> said = {
      {"host", server_.address.host.c_str()},
      {"port", port.c_str()},
      {"dbname", server_.database.c_str()},
      {"user", server_.user.c_str()},
      {"password", password.c_str()},
      {"passfile", "/dev/null/none"},  // no other place for passwords
      {"sslmode", mode_of(server_.tls.check)},
      {"sslrootcert", server_.tls.authorities.c_str()},
      // Nothing of who runs this where the script says nothing.
      {"sslcert", server_.tls.certificate.empty() ? "/dev/null/none" : server_.tls.certificate.c_str()},
      {"sslkey",
       server_.tls.certificate_key.empty() ? "/dev/null/none" : server_.tls.certificate_key.c_str()},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"application_name", "mutstream"},
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
  };
  std::vector<const char*> names, values;
  for (const auto& [name, value] : said) {
    names.push_back(name);
    values.push_back(value);
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = pq_->connect_start(names.data(), values.data(), 0);
  if (connection_ == nullptr) return PostgresTrouble{"there is no memory"};
  pq_->set_notices(connection_, take_notice, nullptr);
  pq_->set_verbosity(connection_, PQERRORS_VERBOSE);  // the only way to a SQLSTATE before there is a session
  if (pq_->status(connection_) == CONNECTION_BAD) return broken();
  return std::nullopt;
}

PostgresConnection::Failed PostgresConnection::poll_connection(int64_t until_ns) {
  auto interest = env::Socket::Interest::Write;
  while (true) {
    Woke woke = wait(interest, until_ns);
    if (woke != Woke::Ready) return late(woke);
    switch (pq_->connect_poll(connection_)) {
      case PGRES_POLLING_OK:
        return std::nullopt;
      case PGRES_POLLING_READING:
        interest = env::Socket::Interest::Read;
        break;
      case PGRES_POLLING_WRITING:
        interest = env::Socket::Interest::Write;
        break;
      default:
        return broken();
    }
  }
}

// ---- waiting

int64_t PostgresConnection::until(int64_t wait_ns) const {
  return wait_ns < 0 ? std::numeric_limits<int64_t>::max() : env_.monotonic_ns() + wait_ns;
}

PostgresConnection::Woke PostgresConnection::wait(env::Socket::Interest interest, int64_t until_ns) {
  LibrarySocket socket(pq_->socket(connection_));
  while (!interrupted_.load()) {
    int64_t left_ns = -1;
    if (until_ns != std::numeric_limits<int64_t>::max()) {
      left_ns = until_ns - env_.monotonic_ns();
      if (left_ns <= 0) return Woke::Late;
    }
    std::array<env::SocketSet::Entry, 1> entries{{{&socket, interest, false}}};
    set_->wait(entries, left_ns);
    if (entries[0].ready) return Woke::Ready;
  }
  return Woke::Interrupted;
}

PostgresTrouble PostgresConnection::late(Woke woke) const {
  if (woke == Woke::Interrupted) return {"it was stopped"};
  return {"the server does not answer"};
}

PostgresTrouble PostgresConnection::broken() const {
  std::string message = one_line(pq_->error_message(connection_));
  std::string state = take_state(message);
  if (message.empty()) message = "the connection is lost";
  return {with_tls_fix(std::move(message), server_.tls), state};
}

PostgresTrouble PostgresConnection::trouble_of(const PGresult& result) const {
  const char* state = pq_->error_field(&result, PG_DIAG_SQLSTATE);
  const char* primary = pq_->error_field(&result, PG_DIAG_MESSAGE_PRIMARY);
  if (primary == nullptr) {
    std::string message = one_line(pq_->result_error(&result));
    return {message.empty() ? "the connection is lost" : message, state != nullptr ? state : ""};
  }
  std::string text = primary;
  for (int field : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_CONTEXT, PG_DIAG_MESSAGE_HINT}) {
    if (const char* more = pq_->error_field(&result, field)) text += "; " + std::string(more);
  }
  return {one_line(text), state != nullptr ? state : ""};
}

// ---- statements

PostgresConnection::Failed PostgresConnection::flush(int64_t until_ns) {
  while (true) {
    int left = pq_->flush(connection_);
    if (left == 0) return std::nullopt;
    if (left < 0) return broken();
    Woke woke = wait(env::Socket::Interest::ReadOrWrite, until_ns);
    if (woke != Woke::Ready) return late(woke);
    if (pq_->consume_input(connection_) == 0) return broken();
  }
}

PostgresConnection::Failed PostgresConnection::next_reply(Reply& reply, int64_t until_ns) {
  while (pq_->is_busy(connection_) != 0) {
    Woke woke = wait(env::Socket::Interest::Read, until_ns);
    if (woke != Woke::Ready) return late(woke);
    if (pq_->consume_input(connection_) == 0) return broken();
  }
  reply = own(pq_->get_result(connection_));
  return std::nullopt;
}

// All of them; the first error counts.
PostgresConnection::Failed PostgresConnection::finish_replies(int64_t until_ns, Reply* reply) {
  Failed out;
  while (true) {
    Reply next;
    if (Failed failed = next_reply(next, until_ns)) return failed;
    if (!next) return out;
    auto status = pq_->result_status(next.get());
    bool fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!fine && !out) out = trouble_of(*next);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
      return PostgresTrouble{"the server waits for rows that nobody has", "08P01"};
    if (fine && reply != nullptr) *reply = std::move(next);
  }
}

PostgresConnection::Failed PostgresConnection::run(const std::string& sql, int64_t wait_ns, Reply* reply) {
  int64_t until_ns = until(wait_ns);
  if (pq_->send_query(connection_, sql.c_str()) == 0) return broken();
  if (Failed failed = flush(until_ns)) return failed;
  return finish_replies(until_ns, reply);
}

PostgresConnection::Failed PostgresConnection::send(const std::string& sql,
                                                    const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  int sent = pq_->send_query_params(connection_, sql.c_str(), static_cast<int>(texts.size()), nullptr,
                                    texts.data(), nullptr, nullptr, 0);
  if (sent == 0) return broken();
  pq_->set_single_rows(connection_);
  return flush(until(carrier_wait_ns));
}

PostgresConnection::Failed PostgresConnection::run(const std::string& sql,
                                                   const std::vector<std::string>& values, int64_t wait_ns,
                                                   Reply* reply) {
  if (Failed failed = send(sql, values)) return failed;
  int64_t until_ns = until(wait_ns);
  Failed out;
  while (true) {
    Reply next;
    if (Failed failed = next_reply(next, until_ns)) return failed;
    if (!next) return out;
    auto status = pq_->result_status(next.get());
    if (status == PGRES_SINGLE_TUPLE || status == PGRES_COMMAND_OK) {
      if (reply != nullptr) *reply = std::move(next);
    } else if (status != PGRES_TUPLES_OK && !out) {
      out = trouble_of(*next);
    }
  }
}

PostgresConnection::Failed PostgresConnection::try_out(const std::string& sql) {
  int64_t until_ns = until(carrier_wait_ns);
  if (pq_->send_prepare(connection_, "", sql.c_str(), 0, nullptr) == 0) return broken();
  if (Failed failed = flush(until_ns)) return failed;
  return finish_replies(until_ns, nullptr);
}

PostgresConnection::Failed PostgresConnection::next_row(Reply& row) {
  while (true) {
    if (Failed failed = next_reply(row, until(-1))) return failed;
    if (!row) return std::nullopt;
    auto status = pq_->result_status(row.get());
    if (status == PGRES_SINGLE_TUPLE) return std::nullopt;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) continue;  // the end, with no row
    PostgresTrouble trouble = trouble_of(*row);
    row = nullptr;
    return trouble;
  }
}

// ---- copying

PostgresConnection::Failed PostgresConnection::put(std::string_view rows, int64_t until_ns) {
  while (!rows.empty()) {
    size_t bytes = std::min(rows.size(), copy_piece_bytes);
    int put = pq_->put_copy_data(connection_, rows.data(), static_cast<int>(bytes));
    if (put < 0) return broken();
    if (put == 1) rows.remove_prefix(bytes);
    if (Failed failed = flush(until_ns)) return failed;
  }
  int ended = 0;
  while ((ended = pq_->put_copy_end(connection_, nullptr)) == 0) {
    if (Failed failed = flush(until_ns)) return failed;
  }
  if (ended < 0) return broken();
  return flush(until_ns);
}

PostgresConnection::Failed PostgresConnection::copy_in(const std::string& sql, std::string_view rows,
                                                       int64_t wait_ns) {
  int64_t until_ns = until(wait_ns);
  if (pq_->send_query(connection_, sql.c_str()) == 0) return broken();
  if (Failed failed = flush(until_ns)) return failed;
  Reply reply;
  if (Failed failed = next_reply(reply, until_ns)) return failed;
  if (!reply) return PostgresTrouble{"the server takes no rows"};
  if (pq_->result_status(reply.get()) == PGRES_COPY_IN) {
    if (Failed failed = put(rows, until_ns)) return failed;
    return finish_replies(until_ns, nullptr);
  }
  PostgresTrouble refused = trouble_of(*reply);
  if (Failed failed = finish_replies(until_ns, nullptr); failed && failed->state.empty()) return failed;
  return refused;
}

// ---- notifications

PostgresConnection::Failed PostgresConnection::next_notification(std::optional<std::string>& payload,
                                                                 int64_t wait_ns) {
  int64_t until_ns = until(wait_ns);
  payload.reset();
  while (true) {
    if (PGnotify* found = pq_->notifies(connection_)) {
      payload = found->extra;
      pq_->free_memory(found);
      return std::nullopt;
    }
    Woke woke = wait(env::Socket::Interest::Read, until_ns);
    if (woke == Woke::Late) return std::nullopt;
    if (woke == Woke::Interrupted) return late(woke);
    if (pq_->consume_input(connection_) == 0) return broken();
  }
}

std::optional<std::string> PostgresConnection::value(const Reply& reply, int column) const {
  if (!reply || pq_->row_count(reply.get()) == 0 || pq_->is_null(reply.get(), 0, column) != 0)
    return std::nullopt;
  return std::string(pq_->value(reply.get(), 0, column),
                     static_cast<size_t>(pq_->length(reply.get(), 0, column)));
}

std::string PostgresConnection::command_of(const Reply& reply) const {
  return reply ? pq_->command_status(reply.get()) : "";
}

}  // namespace mut::connector
