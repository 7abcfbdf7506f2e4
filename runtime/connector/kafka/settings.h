// How a client of Kafka is set up.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/api.h"

namespace mut::connector {

// What source and sink have in common.
struct KafkaAddress {
  std::string brokers;  // "one:9092,other:9092"
  std::string topic;
  // Of librdkafka, beside those that the connector sets: how to prove who one is, for instance.
  std::vector<std::pair<std::string, std::string>> settings;
};

struct KafkaClientDeleter {
  const KafkaApi* api = nullptr;
  void operator()(rd_kafka_t* client) const { api->destroy(client); }
};
using KafkaClient = std::unique_ptr<rd_kafka_t, KafkaClientDeleter>;

// Called by a thread of the library, or by who polls.
struct KafkaCallbacks {
  void* opaque = nullptr;
  void (*error)(rd_kafka_t*, int code, const char* reason, void* opaque) = nullptr;
  void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque) = nullptr;
};

// Connects to nobody yet. `api` outlives the client. Fails where a setting is unknown or wrong.
Result<KafkaClient> make_kafka_client(const KafkaApi& api, rd_kafka_type_t type, const KafkaAddress& address,
                                      const std::vector<std::pair<std::string, std::string>>& settings,
                                      const KafkaCallbacks& callbacks);

// Numbers of the partitions of the topic, rising. Waits for a broker, four seconds at most, and three
// seconds for a topic that is not there.
Result<std::vector<int32_t>> kafka_partitions(env::Env& env, const KafkaApi& api, rd_kafka_t* client,
                                              const KafkaAddress& address);

constexpr int kafka_wait_ms = 10'000;

}  // namespace mut::connector
