#include "runtime/connector/kafka/settings.h"

#include <algorithm>
#include <array>

namespace mut::connector {
namespace {

// A broker may make a topic that is asked for, which takes a moment.
constexpr int64_t made_wait_ns = 3'000'000'000;
constexpr int64_t made_look_ns = 100'000'000;
// Where no broker answers in so long, none is there.
constexpr int answer_wait_ms = 4'000;

void say_nothing(const rd_kafka_t*, int, const char*, const char*) {}

}  // namespace

Result<KafkaClient> make_kafka_client(const KafkaApi& api, rd_kafka_type_t type, const KafkaAddress& address,
                                      const std::vector<std::pair<std::string, std::string>>& settings,
                                      const KafkaCallbacks& callbacks) {
  rd_kafka_conf_t* conf = api.conf_new();
  std::array<char, 512> why{};
  std::vector<std::pair<std::string, std::string>> all = {{"bootstrap.servers", address.brokers},
                                                          {"client.id", "mutstream"},
                                                          {"reconnect.backoff.ms", "100"},
                                                          {"reconnect.backoff.max.ms", "2000"}};
  all.insert(all.end(), settings.begin(), settings.end());
  all.insert(all.end(), address.settings.begin(), address.settings.end());
  for (const auto& [name, value] : all) {
    if (api.conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) continue;
    api.conf_destroy(conf);
    return Error{why.data()};
  }
  api.conf_set_log_cb(conf, say_nothing);
  api.conf_set_opaque(conf, callbacks.opaque);
  if (callbacks.error != nullptr) api.conf_set_error_cb(conf, callbacks.error);
  if (callbacks.delivered != nullptr) api.conf_set_dr_msg_cb(conf, callbacks.delivered);
  rd_kafka_t* client = api.new_(type, conf, why.data(), why.size());
  if (client != nullptr) return KafkaClient(client, KafkaClientDeleter{&api});
  api.conf_destroy(conf);
  return Error{why.data()};
}

Result<std::vector<int32_t>> kafka_partitions(env::Env& env, const KafkaApi& api, rd_kafka_t* client,
                                              const KafkaAddress& address) {
  rd_kafka_topic_t* topic = api.topic_new(client, address.topic.c_str(), nullptr);
  if (topic == nullptr) return Error{"topic `" + address.topic + "`: it cannot be one"};
  const int64_t until_ns = env.monotonic_ns() + made_wait_ns;
  std::vector<int32_t> out;
  std::string why;
  while (true) {
    const struct rd_kafka_metadata* found = nullptr;
    rd_kafka_resp_err_t failed = api.metadata(client, 0, topic, &found, answer_wait_ms);
    bool answered = failed == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (answered)
      failed = found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int i = 0; failed == RD_KAFKA_RESP_ERR_NO_ERROR && i < found->topics[0].partition_cnt; ++i)
      out.push_back(found->topics[0].partitions[i].id);
    if (found != nullptr) api.metadata_destroy(found);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR && !out.empty()) break;
    why = answered ? "topic `" + address.topic + "`: " + api.err2str(failed)
                   : address.brokers + ": no broker answers: " + api.err2str(failed);
    if (!answered || env.monotonic_ns() >= until_ns) break;
    env.sleep(made_look_ns);
  }
  api.topic_destroy(topic);
  if (out.empty()) return Error{why};
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mut::connector
