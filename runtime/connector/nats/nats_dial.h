// How a connection to a NATS server is made: who it is for, how it is encrypted, and how long it may take.
#pragma once
#include <memory>

#include "runtime/connector/nats/nats_connection.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Why a thread: the library waits for the other side of a TLS handshake without limit, and nobody else has
// its socket. An attempt that stands still is left to itself, and there is no other beside it.
// Threads: one at a time.
class NatsDial {
 public:
  NatsDial(env::Env& env, std::shared_ptr<const NatsLibrary> nats, const NatsTarget& target);
  ~NatsDial();
  NatsDial(const NatsDial&) = delete;
  NatsDial& operator=(const NatsDial&) = delete;

  // One that stays lost once it is lost: whoever has it makes another. Fails soon where there is no server,
  // and where one side does not take the other.
  Result<NatsConnectionPtr> connect();

 private:
  struct Attempt;
  Result<std::shared_ptr<Attempt>> prepare() const;
  bool await(Attempt& attempt) const;

  env::Env& env_;
  std::shared_ptr<const NatsLibrary> nats_;
  const NatsTarget& target_;
  std::shared_ptr<Attempt> attempt_;  // the last
  std::unique_ptr<env::Thread> thread_;
};

}  // namespace mut::connector
