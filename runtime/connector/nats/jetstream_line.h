// A stream of JetStream, read in its order.
#pragma once
#include <memory>

#include "runtime/connector/nats/nats.h"
#include "runtime/connector/nats/nats_library.h"

namespace mut::connector {

std::unique_ptr<BrokerLine> make_jetstream_line(env::Env& env, std::shared_ptr<const NatsLibrary> nats,
                                                const NatsTarget& target, std::shared_ptr<Notices> notices);

}  // namespace mut::connector
