// How a client of Kafka is set up.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/api.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"

namespace mut::connector {

// Who a client says it is.
struct KafkaLogin {
  enum class Way : uint8_t { None, Plain, ScramSha256, ScramSha512 } way = Way::None;
  std::string user{};
  std::optional<Secret> password{};
};

// What source and sink have in common.
struct KafkaAddress {
  std::string brokers;  // "one:9092,other:9092"
  std::string topic;
  KafkaLogin login{};
  Tls tls{};

  // "kafka one:9092 payments, as mut with env("PASSWORD") by scram-sha-512, tls verify ca.pem".
  std::string text() const;
};

// Called by who polls, or has something flushed.
struct KafkaCallbacks {
  void* opaque = nullptr;
  // `why`: what the library says of a connection, with what may be done about it.
  void (*error)(int code, const std::string& why, void* opaque) = nullptr;
  void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque) = nullptr;
  // Partitions are granted or taken away, as `code` says.
  void (*rebalance)(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                    void* opaque) = nullptr;
};

// What a client has been told by its library.
struct KafkaHearing {
  KafkaCallbacks to;
  const KafkaApi* api = nullptr;
  KafkaAddress address;
  // By OpenSSL's number, what was wrong with the last certificate. Set by threads of the library.
  std::atomic<int> certificate_problem{0};
  std::string said{};  // of the last connection that was not made
  // Another attempt would end as this one: by a certificate, or a password.
  bool refused = false;
};

struct KafkaClientDeleter {
  const KafkaApi* api = nullptr;
  std::unique_ptr<KafkaHearing> hearing;
  // A consumer leaves its group when it goes; Silent: the group finds out by itself, and nothing is waited
  // for.
  enum class Farewell : uint8_t { Leave, Silent } farewell = Farewell::Leave;
  void operator()(rd_kafka_t* client) const {
    api->destroy_flags(client, farewell == Farewell::Silent ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
  }
};
using KafkaClient = std::unique_ptr<rd_kafka_t, KafkaClientDeleter>;

// Connects to nobody yet; reads files and the password. `api` outlives the client. Fails where a setting is
// unknown or wrong.
Result<KafkaClient> make_kafka_client(env::Env& env, const KafkaApi& api, rd_kafka_type_t type,
                                      const KafkaAddress& address,
                                      const std::vector<std::pair<std::string, std::string>>& settings,
                                      const KafkaCallbacks& callbacks);

// Numbers of the partitions of the topic, rising. Waits for a broker, four seconds at most, and three
// seconds for a topic that is not there.
Result<std::vector<int32_t>> kafka_partitions(env::Env& env, const KafkaApi& api, const KafkaClient& client,
                                              const KafkaAddress& address);

constexpr int kafka_wait_ms = 10'000;

}  // namespace mut::connector
