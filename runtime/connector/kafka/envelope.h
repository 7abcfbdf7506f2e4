// A message of Kafka with what stands around it, as one record of JSON.
#pragma once
#include <string>

#include "runtime/connector/kafka/api.h"

namespace mut::connector {

// {"key":…,"topic":…,"partition":…,"offset":…,"time":…,"headers":{…},"value":…}: `value` is the payload as it
// is, null where there is none; a key that is missing is null; `time` is milliseconds, null where there is
// none.
void write_envelope(const KafkaApi& api, const rd_kafka_message_t& message, std::string& to);

}  // namespace mut::connector
