// A message of the library, and what is made of it.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/kafka/envelope.h"
#include "runtime/connector/message/subscription.h"

namespace mut::connector {

// A record is { key, value, topic, partition, offset, time, headers }; else what the message holds.
enum class KafkaRecord : uint8_t { Payload, Envelope };

struct KafkaMessageDeleter {
  const KafkaApi* api = nullptr;
  void operator()(rd_kafka_message_t* message) const { api->message_destroy(message); }
};
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaMessageDeleter>;

// Messages that are asked for at once.
constexpr size_t ask_messages = 512;

// What messages of that partition from that offset on are called in errors.
inline std::string kafka_place_text(const std::string& topic, int32_t partition, int64_t offset) {
  return "kafka " + topic + "/" + std::to_string(partition) + " from " + std::to_string(offset);
}

// Adds it as a record of that kind; `text` is a place to write in.
inline void add_message(const KafkaApi& api, const rd_kafka_message_t& message, KafkaRecord record,
                        std::string& text, MessageGroup& to) {
  if (record == KafkaRecord::Payload) {
    to.add({static_cast<const char*>(message.payload), message.len});
    return;
  }
  text.clear();
  write_envelope(api, message, text);
  to.add(text);
}

// Whether a source that meets that error cannot go on, whatever it waits for.
inline bool ends_source(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__FATAL:
      return true;
    default:
      return false;
  }
}

}  // namespace mut::connector
