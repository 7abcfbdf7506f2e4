// Messages of NATS, and of its streams (JetStream).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"
#include "runtime/env/tcp_address.h"

namespace mut::connector {

struct NatsTarget {
  env::TcpAddress server;
  std::string subject;    // of a source of a stream it may be empty: all of it
  std::string stream{};   // empty: what is sent now, kept by nobody
  std::string queue{};    // of whom each message goes to one alone; empty: to each
  std::string durable{};  // the reader that the server keeps the place of; empty: none
  enum class Start : uint8_t { Earliest, New } start = Start::Earliest;
  // Whoever it is that connects: a user with a password, or a token, or what a file of credentials says, or
  // nobody.
  std::string user{};
  std::optional<Secret> password{}, token{};
  std::string credentials{};
  Tls tls{};
  // Whether messages come in {"subject":…,"value":…}.
  enum class Record : uint8_t { Payload, Envelope } record = Record::Payload;

  // "nats 127.0.0.1:4222 orders.>", "nats 127.0.0.1:4222 stream ORDERS".
  std::string text() const;
};

// Loads libnats; fails where it is not there.
Result<std::unique_ptr<BrokerLine>> make_nats_line(env::Env& env, const NatsTarget& target,
                                                   std::shared_ptr<Notices> notices);
// A message a row; the same.
Result<std::unique_ptr<Carrier>> make_nats_carrier(env::Env& env, const NatsTarget& target);

// "orders.*.new", "orders.>" and the like: whether all subjects of the second are of the first.
bool subject_covers(std::string_view pattern, std::string_view subject);

}  // namespace mut::connector
