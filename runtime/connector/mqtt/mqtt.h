// Messages of MQTT, 3.1.1 and 5.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"
#include "runtime/env/tcp_address.h"

namespace mut::connector {

struct MqttTarget {
  env::TcpAddress broker;
  std::string topic;
  int qos = 0;
  enum class Version : uint8_t { Three, Five } version = Version::Five;
  std::string client{};  // of a source: whom the broker keeps messages for; empty: nobody
  // Of a sink: whether the broker keeps the last message for those who come later.
  enum class Retain : uint8_t { No, Yes } retain = Retain::No;
  std::string user{};  // empty: nobody
  std::optional<Secret> password{};
  Tls tls{};
  // Whether messages come in {"topic":…,"value":…}.
  enum class Record : uint8_t { Payload, Envelope } record = Record::Payload;

  // "mqtt 127.0.0.1:1883 sensors/# qos 1".
  std::string text() const;
};

// Loads libmosquitto; fails where it is not there.
Result<std::unique_ptr<BrokerLine>> make_mqtt_line(env::Env& env, const MqttTarget& target);
// A message a row; the same.
Result<std::unique_ptr<Carrier>> make_mqtt_carrier(env::Env& env, const MqttTarget& target);

}  // namespace mut::connector
