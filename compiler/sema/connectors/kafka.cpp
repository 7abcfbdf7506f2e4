#include "compiler/sema/connectors/rule.h"
#include "runtime/connector/kafka/brokers.h"

namespace mut::sema {

using typed::Connector;
using typed::Kind;
using typed::Option;

namespace {

// How who connects says who it is.
bool check_login(const Connector& kafka, const std::string& host, diag::Engine& diags) {
  if (!check_one_of(kafka, "sasl", {"plain", "scram_sha_256", "scram_sha_512"}, diags)) return false;
  const Option* sasl = kafka.find("sasl");
  for (std::string_view name : {"user", "password"}) {
    const Option* option = kafka.find(name);
    if (sasl != nullptr && option == nullptr)
      return report_option(*sasl, "`user` and `password` are needed", diags);
    if (sasl == nullptr && option != nullptr)
      return report_option(*option, "it goes with `sasl: scram_sha_512`, or another way to log in", diags);
  }
  if (sasl == nullptr) return true;
  if (kafka.find("user")->value.as_text().empty())
    return report_option(*kafka.find("user"), "a name is needed", diags);
  const Option* tls = kafka.find("tls");
  bool in_the_clear = tls != nullptr && tls->value.as_text() == "off" && !env::is_loopback(host);
  if (in_the_clear && sasl->value.as_text() == "plain")
    return report_option(
        *sasl, "the password would go to `" + host + "` in the clear: encrypt it, or use scram_sha_512",
        diags);
  return true;
}

// How a run shares the partitions with others.
bool check_sharing(const Connector& kafka, diag::Engine& diags) {
  if (!check_one_of(kafka, "partitions", {"all", "shared"}, diags)) return false;
  const Option* partitions = kafka.find("partitions");
  const Option* timeout = kafka.find("member_timeout");
  const bool shared = partitions != nullptr && partitions->value.as_text() == "shared";
  if (!shared) {
    return timeout == nullptr || report_option(*timeout, "it goes with `partitions: shared`", diags);
  }
  if (kafka.find("group") == nullptr)
    return report_option(*partitions, "a `group` is needed, whose members share them", diags);
  const Option* start = kafka.find("start");
  if (start != nullptr && start->value.as_text() == "group")
    return report_option(*start,
                         "with `partitions: shared` it is always the group's place; earliest or new says "
                         "where a partition begins that has none",
                         diags);
  constexpr int64_t second_ns = 1'000'000'000;
  const int64_t timeout_ns = timeout != nullptr ? timeout->value.as_int() : second_ns;
  return (timeout_ns >= second_ns && timeout_ns <= 3600 * second_ns) ||
         report_option(*timeout, "it is from 1s to 1h", diags);
}

bool check_source(const Connector& kafka, diag::Engine& diags) {
  if (!refuse_options(kafka, {"key", "headers", "transactions", "give_up"}, Direction::Out, diags) ||
      !check_one_of(kafka, "start", {"earliest", "new", "group"}, diags))
    return false;
  const Option* start = kafka.find("start");
  if (start != nullptr && start->value.as_text() == "group" && kafka.find("group") == nullptr)
    return report_option(*start, "a `group` is needed", diags);
  return check_sharing(kafka, diags);
}

bool check_kafka(const Connector& kafka, Direction direction, diag::Engine& diags) {
  if (!need_option(kafka, "brokers", "`brokers: \"host:port\"`", diags) ||
      !need_option(kafka, "topic", "`topic: \"name\"`", diags))
    return false;
  const Option& brokers = *kafka.find("brokers");
  auto addresses = connector::parse_brokers(brokers.value.as_text());
  if (!addresses) return report_option(brokers, addresses.error().message, diags);
  if (!check_tls(kafka, diags) || !check_login(kafka, connector::farthest_host(addresses.value()), diags))
    return false;
  if (direction == Direction::In) return check_source(kafka, diags);
  return refuse_options(kafka,
                        {"group", "start", "partitions", "member_timeout", "envelope", "time_unit", "none",
                         "header", "separator"},
                        Direction::In, diags) &&
         check_one_of(kafka, "format", {"json"}, diags) && check_not_negative(kafka, "give_up", diags);
}

// Texts by name, or none.
bool holds_headers(typed::TypeRef type) {
  type = typed::without_none(type);
  return type->kind == Kind::Map && type->key()->kind == Kind::String && type->value()->kind == Kind::String;
}

// What names a field names one that is there.
bool check_rows(const Connector& kafka, const typed::Type& row, diag::Engine& diags) {
  const Option* key = kafka.find("key");
  const Option* headers = kafka.find("headers");
  for (const Option* option : {key, headers}) {
    if (option != nullptr && row.field_index(option->value.as_text()) < 0)
      return report_option(*option, "the rows have no field `" + option->value.as_text() + "`", diags);
  }
  if (headers == nullptr) return true;
  auto index = static_cast<size_t>(row.field_index(headers->value.as_text()));
  return holds_headers(row.fields[index].type) ||
         report_option(*headers, "a field of type `map<string, string>` is needed", diags);
}

}  // namespace

const ConnectorRule& kafka_rule() {
  static const ConnectorRule rule = {"kafka",
                                     true,
                                     true,
                                     0,
                                     tls_options(text_options({{"brokers", Kind::String},
                                                               {"topic", Kind::String},
                                                               {"sasl", Kind::String},
                                                               {"user", Kind::String},
                                                               {"password", Kind::Secret},
                                                               {"group", Kind::String},
                                                               {"start", Kind::String},
                                                               {"partitions", Kind::String},
                                                               {"member_timeout", Kind::Duration},
                                                               {"envelope", Kind::Bool},
                                                               {"key", Kind::String},
                                                               {"headers", Kind::String},
                                                               {"transactions", Kind::Bool},
                                                               {"give_up", Kind::Duration}})),
                                     check_kafka,
                                     check_rows};
  return rule;
}

}  // namespace mut::sema
