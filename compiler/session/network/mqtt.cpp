#include "runtime/connector/mqtt/mqtt.h"

#include <utility>

#include "compiler/session/network/kind.h"

namespace mut::session {
namespace {

using connector::MqttTarget;

MqttTarget target_of_options(const typed::Connector& mqtt) {
  MqttTarget out;
  out.broker = env::parse_tcp_address(text_option(mqtt, "broker")).value();  // it was checked
  out.topic = text_option(mqtt, "topic");
  out.client = text_option(mqtt, "client");
  if (const typed::Option* qos = mqtt.find("qos")) out.qos = static_cast<int>(qos->value.as_int());
  if (const typed::Option* version = mqtt.find("version"); version != nullptr && version->value.as_int() == 3)
    out.version = MqttTarget::Version::Three;
  if (const typed::Option* retain = mqtt.find("retain"); retain != nullptr && retain->value.as_bool())
    out.retain = MqttTarget::Retain::Yes;
  out.user = text_option(mqtt, "user");
  out.password = secret_option(mqtt, "password");
  out.tls = tls_option(mqtt, out.broker.host);
  const typed::Option* envelope = mqtt.find("envelope");
  if (envelope != nullptr && envelope->value.as_bool()) out.record = MqttTarget::Record::Envelope;
  return out;
}

std::string target_text(const typed::Connector& mqtt) { return target_of_options(mqtt).text(); }

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  auto line = connector::make_mqtt_line(around.env, target_of_options(reading.source.connector));
  return open_line(around, std::move(reading), std::move(line));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  return make_carried_writer(
      around, writing, connector::make_mqtt_carrier(around.env, target_of_options(writing.emit.connector)));
}

}  // namespace

const NetworkKind& mqtt_kind() {
  static const NetworkKind kind{"mqtt", target_text, open_source, make_writer, codec::Format::Json};
  return kind;
}

}  // namespace mut::session
