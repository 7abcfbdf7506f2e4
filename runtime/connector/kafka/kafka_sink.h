// Rows to one topic of Kafka, a message each.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/kafka/settings.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct KafkaSinkOptions {
  KafkaAddress address;
  std::string key;  // field whose value is the key of a message; empty: none
  // Field, a map of texts, that becomes the headers of a message, and is none of its value; empty: none.
  std::string headers{};
  // Transactions: what belongs to one checkpoint is one transaction, which has its number as the offset of a
  // group of its own. Readers have to read what is committed alone.
  enum class Writes : uint8_t { Messages, Transactions } writes = Writes::Messages;
};

// Fails where the library is not there. `env` outlives it.
Result<std::unique_ptr<Carrier>> make_kafka_carrier(env::Env& env, KafkaSinkOptions options);

}  // namespace mut::connector
