#include "runtime/connector/kafka/settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/connector/tls_trouble.h"

namespace mut::connector {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// A broker may make a topic that is asked for, which takes a moment.
constexpr int64_t made_wait_ns = 3'000'000'000;
constexpr int64_t made_look_ns = 100'000'000;
// Where no broker answers in so long, none is there.
constexpr int answer_wait_ms = 4'000;
// The first look whether one refuses; each is twice as long as the one before.
constexpr int answer_look_ms = 125;

// Up to then the library repeats a part of its message that brokers from Kafka 4 on look at.
constexpr int scram_mended_version = 0x020601ff;

void say_nothing(const rd_kafka_t*, int, const char*, const char*) {}

// The library says of all of these that the verification failed. Numbers as OpenSSL has them.
const char* problem_text(int certificate_problem) {
  switch (certificate_problem) {
    case 9:
      return ": certificate is not yet valid";
    case 10:
      return ": certificate has expired";
    case 62:
    case 64:
      return ": hostname mismatch";
    default:
      return "";
  }
}

// What the library says of a connection, with what may be done about it.
std::string trouble_text(const KafkaHearing& hearing, const char* reason) {
  std::string out = reason;
  // Behind it the library speaks of its own options, and of how long it took.
  for (const char* rest : {" (after ", ": broker certificate could not be verified", ": might be caused by"})
    out.resize(std::min(out.find(rest), out.size()));
  const Tls& tls = hearing.address.tls;
  if (tls.check == Tls::Check::Off && std::string_view(reason).find("SSL listener?") != std::string::npos)
    return out + "; if it wants an encrypted connection: `tls: verify`";
  if (out.ends_with("certificate verify failed")) out += problem_text(hearing.certificate_problem.load());
  const KafkaLogin::Way way = hearing.address.login.way;
  bool by_scram = way == KafkaLogin::Way::ScramSha256 || way == KafkaLogin::Way::ScramSha512;
  bool unknown = out.find("SASL authentication error") != std::string::npos;
  if (unknown && by_scram && hearing.api->version() < scram_mended_version)
    out += std::string("; if user and password are right: librdkafka ") + hearing.api->version_str() +
           " cannot log in by SCRAM to Kafka 4, 2.6.1 can";
  return with_tls_fix(std::move(out), tls);
}

void hear_error(rd_kafka_t*, int code, const char* reason, void* opaque) {
  auto& hearing = *static_cast<KafkaHearing*>(opaque);
  std::string why = trouble_text(hearing, reason);
  bool by_certificate = code == RD_KAFKA_RESP_ERR__SSL || why.find("SSL alert number") != std::string::npos;
  if (by_certificate || code == RD_KAFKA_RESP_ERR__AUTHENTICATION) hearing.refused = true;
  if (hearing.to.error != nullptr) hearing.to.error(code, why, hearing.to.opaque);
  if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) hearing.said = std::move(why);
}

// Whether the library goes on, which has looked at the certificate already: notes why it does not.
int hear_certificate(rd_kafka_t*, const char*, int32_t, int* problem, int, const char*, size_t, char*, size_t,
                     void* opaque) {
  if (*problem == 0) return 1;
  static_cast<KafkaHearing*>(opaque)->certificate_problem.store(*problem);
  return 0;
}

void hear_delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) {
  auto& hearing = *static_cast<KafkaHearing*>(opaque);
  hearing.to.delivered(client, message, hearing.to.opaque);
}

void hear_rebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                    void* opaque) {
  auto& hearing = *static_cast<KafkaHearing*>(opaque);
  hearing.to.rebalance(code, partitions, hearing.to.opaque);
}

const char* name_of(KafkaLogin::Way way) {
  switch (way) {
    case KafkaLogin::Way::None:
      return "";
    case KafkaLogin::Way::Plain:
      return "PLAIN";
    case KafkaLogin::Way::ScramSha256:
      return "SCRAM-SHA-256";
    case KafkaLogin::Way::ScramSha512:
      return "SCRAM-SHA-512";
  }
  return "";
}

void encrypt(const Tls& tls, Settings& to) {
  const bool verify = tls.check == Tls::Check::Verify;
  to.emplace_back("enable.ssl.certificate.verification", verify ? "true" : "false");
  to.emplace_back("ssl.endpoint.identification.algorithm", verify ? "https" : "none");
  if (verify) to.emplace_back("ssl.ca.location", tls.authorities);
  if (tls.certificate.empty()) return;
  to.emplace_back("ssl.certificate.location", tls.certificate);
  to.emplace_back("ssl.key.location", tls.certificate_key);
}

// How a broker is connected to, and by whom.
Result<Settings> connection_settings(env::Env& env, const KafkaAddress& address) {
  Settings out;
  const bool encrypted = address.tls.check != Tls::Check::Off;
  const bool logs_in = address.login.way != KafkaLogin::Way::None;
  out.emplace_back("security.protocol",
                   std::string(logs_in ? "sasl_" : "") + (encrypted ? "ssl" : "plaintext"));
  if (Status there = check_tls_files(env, address.tls); !there) return there.error();
  if (encrypted) encrypt(address.tls, out);
  if (!logs_in) return out;
  auto password = address.login.password->read(env);
  if (!password) return password.error();
  out.emplace_back("sasl.mechanism", name_of(address.login.way));
  out.emplace_back("sasl.username", address.login.user);
  out.emplace_back("sasl.password", std::move(password).value());
  return out;
}

// Asks the brokers again and again, so that one that refuses is noticed before the time is over.
rd_kafka_resp_err_t ask_metadata(const KafkaApi& api, const KafkaClient& client, rd_kafka_topic_t* topic,
                                 const struct rd_kafka_metadata** found) {
  const KafkaHearing& hearing = *client.get_deleter().hearing;
  int left_ms = answer_wait_ms;
  for (int look_ms = answer_look_ms;; look_ms *= 2) {
    if (left_ms < 2 * look_ms) look_ms = left_ms;
    rd_kafka_resp_err_t failed = api.metadata(client.get(), 0, topic, found, look_ms);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return failed;
    (void)api.poll(client.get(), 0);
    left_ms -= look_ms;
    if (hearing.refused || left_ms <= 0) return failed;
  }
}

}  // namespace

std::string KafkaAddress::text() const {
  std::string out = "kafka " + brokers + " " + topic;
  if (login.way != KafkaLogin::Way::None)
    out += ", as " + login.user + " with " + login.password->text() + " by " + name_of(login.way);
  return out + tls.text();
}

Result<KafkaClient> make_kafka_client(env::Env& env, const KafkaApi& api, rd_kafka_type_t type,
                                      const KafkaAddress& address, const Settings& settings,
                                      const KafkaCallbacks& callbacks) {
  auto connection = connection_settings(env, address);
  if (!connection) return connection.error();
  rd_kafka_conf_t* conf = api.conf_new();
  std::array<char, 512> why{};
  Settings all = {{"bootstrap.servers", address.brokers},
                  {"client.id", "mutstream"},
                  {"reconnect.backoff.ms", "100"},
                  {"reconnect.backoff.max.ms", "2000"}};
  all.insert(all.end(), settings.begin(), settings.end());
  all.insert(all.end(), connection.value().begin(), connection.value().end());
  for (const auto& [name, value] : all) {
    if (api.conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) continue;
    api.conf_destroy(conf);
    return Error{why.data()};
  }
  auto hearing = std::make_unique<KafkaHearing>(callbacks, &api, address);
  api.conf_set_log_cb(conf, say_nothing);
  api.conf_set_opaque(conf, hearing.get());
  api.conf_set_error_cb(conf, hear_error);
  if (address.tls.check == Tls::Check::Verify) (void)api.conf_set_ssl_cert_verify_cb(conf, hear_certificate);
  if (callbacks.delivered != nullptr) api.conf_set_dr_msg_cb(conf, hear_delivered);
  if (callbacks.rebalance != nullptr) api.conf_set_rebalance_cb(conf, hear_rebalance);
  rd_kafka_t* client = api.new_(type, conf, why.data(), why.size());
  if (client != nullptr) return KafkaClient(client, KafkaClientDeleter{&api, std::move(hearing)});
  api.conf_destroy(conf);
  return Error{why.data()};
}

Result<std::vector<int32_t>> kafka_partitions(env::Env& env, const KafkaApi& api, const KafkaClient& client,
                                              const KafkaAddress& address) {
  rd_kafka_topic_t* topic = api.topic_new(client.get(), address.topic.c_str(), nullptr);
  if (topic == nullptr) return Error{"topic `" + address.topic + "`: it cannot be one"};
  const int64_t until_ns = env.monotonic_ns() + made_wait_ns;
  std::vector<int32_t> out;
  std::string why;
  while (true) {
    const struct rd_kafka_metadata* found = nullptr;
    rd_kafka_resp_err_t failed = ask_metadata(api, client, topic, &found);
    bool answered = failed == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (answered)
      failed = found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int i = 0; failed == RD_KAFKA_RESP_ERR_NO_ERROR && i < found->topics[0].partition_cnt; ++i)
      out.push_back(found->topics[0].partitions[i].id);
    if (found != nullptr) api.metadata_destroy(found);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR && !out.empty()) break;
    const std::string& said = client.get_deleter().hearing->said;
    why = answered ? "topic `" + address.topic + "`: " + api.err2str(failed)
                   : address.brokers + ": no broker answers: " + (said.empty() ? api.err2str(failed) : said);
    if (!answered || env.monotonic_ns() >= until_ns) break;
    env.sleep(made_look_ns);
  }
  api.topic_destroy(topic);
  if (out.empty()) return Error{why};
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mut::connector
