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

// As librdkafka and others have it.
constexpr int64_t member_timeout_default_ns = 45'000'000'000;

struct KafkaSourceOptions {
  std::string name;  // of the source
  KafkaAddress address;
  // Where a run begins that goes on from nothing. Group: where the group has been, else at the earliest.
  enum class Start : uint8_t { Earliest, New, Group } start = Start::Earliest;
  std::string group;  // is told what need not be read again; empty: none
  // All: this run reads them by itself. Shared: those that the group gives it, from where the group has been,
  // else as `start` says.
  enum class Partitions : uint8_t { All, Shared } partitions = Partitions::All;
  // Of Shared: a member that says nothing for so long has left.
  int64_t member_timeout_ns = member_timeout_default_ns;
  KafkaRecord record = KafkaRecord::Payload;
};

// With Partitions::All. Waits for a broker, kafka_wait_ms at most. `env` and `wake` (may be null) outlive it.
Result<std::unique_ptr<Subscription>> open_kafka_source(env::Env& env, KafkaSourceOptions options,
                                                        env::EventCount* wake,
                                                        std::shared_ptr<Notices> notices);

}  // namespace mut::connector
