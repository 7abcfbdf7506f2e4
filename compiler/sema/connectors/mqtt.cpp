#include "compiler/sema/connectors/rule.h"
#include "runtime/connector/mqtt/mqtt_topic.h"
#include "runtime/env/tcp_address.h"

namespace mut::sema {

using connector::TopicUse;
using typed::Kind;

namespace {

bool check_number(const typed::Connector& mqtt, std::string_view name, std::initializer_list<int64_t> values,
                  std::string_view problem, diag::Engine& diags) {
  const typed::Option* option = mqtt.find(name);
  if (option == nullptr) return true;
  for (int64_t value : values) {
    if (option->value.as_int() == value) return true;
  }
  return report_option(*option, problem, diags);
}

bool check_reading(const typed::Connector& mqtt, diag::Engine& diags) {
  if (!refuse_options(mqtt, {"retain", "give_up"}, Direction::Out, diags)) return false;
  const typed::Option* client = mqtt.find("client");
  if (client != nullptr && client->value.as_text().empty())
    return report_option(*client, "a name is needed, which no other client of the broker has", diags);
  return check_envelope(mqtt, diags);
}

bool check_writing(const typed::Connector& mqtt, diag::Engine& diags) {
  return refuse_options(mqtt, {"client", "envelope", "time_unit", "header", "separator", "none"},
                        Direction::In, diags) &&
         check_one_of(mqtt, "format", {"json"}, diags) && check_not_negative(mqtt, "give_up", diags);
}

// Where the broker is, which messages, and how they are read or written. False when something was reported.
bool check_mqtt(const typed::Connector& mqtt, Direction direction, diag::Engine& diags) {
  if (!need_option(mqtt, "broker", "`broker: \"host:1883\"`", diags)) return false;
  if (!need_option(mqtt, "topic", "`topic: \"sensors/temp\"`", diags)) return false;
  const typed::Option& broker = *mqtt.find("broker");
  auto address = env::parse_tcp_address(broker.value.as_text());
  if (!address) return report_option(broker, address.error().message, diags);
  if (address.value().port == 0) return report_option(broker, "a port is a number from 1 to 65535", diags);
  const typed::Option& topic = *mqtt.find("topic");
  bool in = direction == Direction::In;
  std::string problem =
      connector::problem_of_topic(topic.value.as_text(), in ? TopicUse::Filter : TopicUse::Exact);
  if (!problem.empty()) return report_option(topic, problem, diags);
  const typed::Option* password = mqtt.find("password");
  if (password != nullptr && mqtt.find("user") == nullptr)
    return report_option(*password, "a `user` is needed", diags);
  if (!check_tls(mqtt, diags)) return false;
  warn_in_the_clear(mqtt, {"password"}, address.value().host, diags);
  return check_number(mqtt, "qos", {0, 1, 2}, "0, 1 or 2 is needed", diags) &&
         check_number(mqtt, "version", {3, 5}, "3 (that is 3.1.1) or 5 is needed", diags) &&
         (in ? check_reading(mqtt, diags) : check_writing(mqtt, diags));
}

}  // namespace

const ConnectorRule& mqtt_rule() {
  static const ConnectorRule rule = {"mqtt",
                                     true,
                                     true,
                                     0,
                                     tls_options(text_options({{"broker", Kind::String},
                                                               {"topic", Kind::String},
                                                               {"qos", Kind::Int},
                                                               {"version", Kind::Int},
                                                               {"client", Kind::String},
                                                               {"retain", Kind::Bool},
                                                               {"user", Kind::String},
                                                               {"password", Kind::Secret},
                                                               {"envelope", Kind::Bool},
                                                               {"give_up", Kind::Duration}})),
                                     check_mqtt};
  return rule;
}

}  // namespace mut::sema
