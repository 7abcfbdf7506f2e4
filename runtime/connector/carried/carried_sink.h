// The sink of whatever has a Carrier: rows that wait, attempts, what a checkpoint has of them.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/outbox.h"

namespace mut::connector {

// Connects in hold(), and again whenever there was trouble, until `give_up_ns` have passed. Without
// checkpoints, and where the world keeps no numbers, rows go out as they come: at least once. Else they go
// out behind the checkpoint that has them, as one delivery of its number: once. `env` and `wake` (may be
// null) outlive the sink.
std::unique_ptr<SinkWriter> make_carried_sink(env::Env& env, OutboxOptions options,
                                              std::unique_ptr<Carrier> carrier, env::EventCount* wake,
                                              std::shared_ptr<Notices> notices);

}  // namespace mut::connector
