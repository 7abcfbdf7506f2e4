#include "runtime/connector/kafka/partition_watch.h"

#include <utility>

namespace mut::connector {
namespace {

// For an answer, milliseconds; where there is none the next look asks again.
constexpr int answer_wait_ms = 500;

}  // namespace

PartitionWatch::PartitionWatch(env::Env& env, const KafkaApi& api, rd_kafka_t* client, std::string topic,
                               std::set<int32_t> known, env::EventCount* wake)
    : env_(env),
      api_(api),
      client_(client),
      topic_(std::move(topic)),
      known_(std::move(known)),
      wake_(wake),
      set_(env.make_socket_set()),
      thread_(env.start_thread("mut-kafka", [this] { run(); })) {}

PartitionWatch::~PartitionWatch() {
  over_.store(true);
  set_->ring();
  thread_ = nullptr;
}

std::map<int32_t, int64_t> PartitionWatch::take() {
  if (!any_.exchange(false)) return {};
  std::lock_guard lock(mutex_);
  return std::exchange(found_, {});
}

void PartitionWatch::run() {
  rd_kafka_topic_t* topic = api_.topic_new(client_, topic_.c_str(), nullptr);
  while (topic != nullptr && !over_.load()) {
    const int64_t until_ns = env_.monotonic_ns() + partition_look_ns;
    for (int64_t left_ns = partition_look_ns; left_ns > 0 && !over_.load();
         left_ns = until_ns - env_.monotonic_ns())
      set_->wait({}, left_ns);
    if (!over_.load()) look(topic);
  }
  if (topic != nullptr) api_.topic_destroy(topic);
}

void PartitionWatch::look(rd_kafka_topic_t* topic) {
  const struct rd_kafka_metadata* answer = nullptr;
  if (api_.metadata(client_, 0, topic, &answer, answer_wait_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  std::set<int32_t> fresh;
  for (int i = 0; answer->topic_cnt == 1 && i < answer->topics[0].partition_cnt; ++i) {
    int32_t partition = answer->topics[0].partitions[i].id;
    if (!known_.contains(partition)) fresh.insert(partition);
  }
  api_.metadata_destroy(answer);
  for (int32_t partition : fresh) {
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t failed =
        api_.query_watermark_offsets(client_, topic_.c_str(), partition, &low, &high, answer_wait_ms);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    known_.insert(partition);
    std::lock_guard lock(mutex_);
    found_[partition] = low;
    any_.store(true);
  }
  if (any_.load() && wake_ != nullptr) wake_->notify();
}

}  // namespace mut::connector
