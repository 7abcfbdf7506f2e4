#include "runtime/connector/kafka/envelope.h"

#include <string_view>

#include "runtime/codec/json/writer.h"
#include "runtime/connector/message/envelope.h"

namespace mut::connector {
namespace {

void write_text(const void* bytes, size_t size, text::Buffer& to) {
  json::append_string({static_cast<const char*>(bytes), size}, to);
}

}  // namespace

void write_envelope(const KafkaApi& api, const rd_kafka_message_t& message, std::string& to) {
  text::Buffer out;
  out.append("{\"key\":");
  if (message.key != nullptr) {
    write_text(message.key, message.key_len, out);
  } else {
    out.append("null");
  }
  out.append(",\"topic\":");
  json::append_string(api.topic_name(message.rkt), out);
  out.append(",\"partition\":" + std::to_string(message.partition) +
             ",\"offset\":" + std::to_string(message.offset) + ",\"time\":");
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  int64_t time_ms = api.message_timestamp(&message, &kind);
  out.append(kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? "null" : std::to_string(time_ms));
  out.append(",\"headers\":{");
  rd_kafka_headers_t* headers = nullptr;
  bool any = api.message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       any && api.header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    if (i > 0) out.append(",");
    json::append_string(name, out);
    out.append(":");
    write_text(value, size, out);
  }
  out.append("},\"value\":");
  to.append(out.view());
  end_envelope({static_cast<const char*>(message.payload), message.len}, to);
}

}  // namespace mut::connector
