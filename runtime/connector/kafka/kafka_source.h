// Messages of one topic of Kafka.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/kafka/message.h"
#include "runtime/connector/kafka/settings.h"
#include "runtime/connector/message/subscription.h"
#include "runtime/connector/notices.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct KafkaSourceOptions {
  std::string name;  // of the source
  KafkaAddress address;
  // Where a run begins that goes on from nothing. Group: where the group has been, else at the earliest.
  enum class Start : uint8_t { Earliest, New, Group } start = Start::Earliest;
  std::string group;  // is told what need not be read again; empty: none
  KafkaRecord record = KafkaRecord::Payload;
};

// Reads all partitions of the topic by itself. Waits for a broker, kafka_wait_ms at most. `env` and `wake`
// (may be null) outlive it.
Result<std::unique_ptr<Subscription>> open_kafka_source(env::Env& env, KafkaSourceOptions options,
                                                        env::EventCount* wake,
                                                        std::shared_ptr<Notices> notices);

}  // namespace mut::connector
