// Rows over TCP, to a program that listens or to all that connect. Both write on a thread of their own: what
// the world does not take waits here up to a bound, then the sink is full.
#pragma once
#include <functional>
#include <memory>

#include "runtime/connector/encrypted.h"
#include "runtime/connector/outbox.h"

namespace mut::connector {

// A client of several that takes nothing for so long, while rows wait for it, is cut off.
constexpr int64_t slow_client_ns = 30'000'000'000;

struct TcpSinkOptions {
  env::TcpAddress address;
  OutboxOptions outbox;  // give_up_ns: of one that connects
  Tls tls{};             // the same
  tls::Files files{};    // of one that listens
};

// Connects in hold(), and again whenever the connection is lost. Rows that the other machine has not
// confirmed are sent again then: at least once, as far as that machine. `env` and `wake` (may be null)
// outlive the sink.
std::unique_ptr<SinkWriter> make_tcp_sink(env::Env& env, TcpSinkOptions options, env::EventCount* wake,
                                          std::shared_ptr<Notices> notices);

// Takes the port in hold(). Each client gets the rows from the moment on at which it came; while there is
// none they wait. At most once: what a connection that breaks had been given is not sent again.
std::unique_ptr<SinkWriter> make_tcp_server_sink(env::Env& env, TcpSinkOptions options, env::EventCount* wake,
                                                 std::shared_ptr<Notices> notices);

// Takes a port, and says where.
using Listen = std::function<Result<std::unique_ptr<env::SocketListener>>()>;

// The same where others connect however `listen` lets them.
std::unique_ptr<SinkWriter> make_server_sink(env::Env& env, Listen listen, OutboxOptions outbox,
                                             env::EventCount* wake, std::shared_ptr<Notices> notices);

}  // namespace mut::connector
