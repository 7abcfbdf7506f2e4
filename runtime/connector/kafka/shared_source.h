// Messages of the partitions of a topic that a group has given to this run.
#pragma once
#include <memory>

#include "runtime/connector/kafka/kafka_source.h"

namespace mut::connector {

// With options of Partitions::Shared. Waits for a broker, kafka_wait_ms at most; joins the group at the first
// take(). `env` and `wake` (may be null) outlive it.
Result<std::unique_ptr<Subscription>> open_shared_kafka_source(env::Env& env, KafkaSourceOptions options,
                                                               env::EventCount* wake,
                                                               std::shared_ptr<Notices> notices);

}  // namespace mut::connector
