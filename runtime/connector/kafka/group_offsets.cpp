#include "runtime/connector/kafka/group_offsets.h"

#include <utility>

#include "runtime/connector/kafka/partition_list.h"

namespace mut::connector {
namespace {

// Nanoseconds, between two commits; for the answer to one.
constexpr int64_t commit_every_ns = 200'000'000;
constexpr int64_t commit_again_ns = 50'000'000;
constexpr int64_t commit_wait_ns = 10'000'000'000;
// For an answer, milliseconds: of a broker, and of the next when one has not answered.
constexpr int answer_wait_ms = 2'000;
constexpr int next_wait_ms = 200;
constexpr int answer_look_ms = 20;

}  // namespace

GroupOffsets::GroupOffsets(env::Env& env, const KafkaApi& api, rd_kafka_t* client,
                           const KafkaSourceOptions& options, GroupPartitions& partitions,
                           std::set<int32_t> at_start, std::shared_ptr<Notices> notices)
    : env_(env),
      api_(api),
      client_(client),
      options_(options),
      partitions_(partitions),
      at_start_(std::move(at_start)),
      notices_(std::move(notices)),
      answers_(api.queue_new(client)) {}

GroupOffsets::~GroupOffsets() { api_.queue_destroy(answers_); }

GroupOffsets::Places GroupOffsets::find(const std::set<int32_t>& wanted) {
  Places out;
  if (wanted.empty()) return out;
  const PartitionList list(api_, options_.address.topic, wanted);
  if (api_.committed(client_, list.get(), answer_wait_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  int wait_ms = answer_wait_ms;
  for (int i = 0; i < list.get()->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list.get()->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    auto found = place(one.partition, one.offset, wait_ms);
    if (found) out[one.partition] = *found;
    if (!found) wait_ms = next_wait_ms;
  }
  return out;
}

std::optional<GroupPartitions::Place> GroupOffsets::place(int32_t partition, int64_t committed, int wait_ms) {
  using To = GroupPartitions::Place::To;
  int64_t low = 0;
  int64_t high = 0;
  rd_kafka_resp_err_t failed =
      api_.query_watermark_offsets(client_, options_.address.topic.c_str(), partition, &low, &high, wait_ms);
  if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  if (committed < 0) {
    // A partition that the topic has got since is read from its begin.
    const bool from_now = options_.start == KafkaSourceOptions::Start::New && at_start_.contains(partition);
    return GroupPartitions::Place{from_now ? high : low, To::Unknown};
  }
  if (committed >= low && committed <= high) return GroupPartitions::Place{committed, To::Known};
  const int64_t next = committed < low ? low : high;
  notices_->say("source `" + options_.name + "`: topic `" + options_.address.topic + "`, partition " +
                std::to_string(partition) + ": the group was at " + std::to_string(committed) +
                ", and messages are kept from " + std::to_string(low) + " to " + std::to_string(high) +
                ": it goes on at " + std::to_string(next));
  return GroupPartitions::Place{next, To::Unknown};
}

void GroupOffsets::commit_due() {
  (void)api_.queue_poll_callback(answers_, 0);
  const int64_t now_ns = env_.monotonic_ns();
  if (sent_ns_ != 0 && now_ns - sent_ns_ > commit_wait_ns) sent_ns_ = 0;
  if (now_ns >= next_ns_) begin_commit();
}

void GroupOffsets::begin_commit() {
  if (sent_ns_ != 0) return;
  std::map<int32_t, int64_t> places = partitions_.to_commit();
  if (places.empty()) return;
  const PartitionList list(api_, options_.address.topic, places);
  auto answered = [](rd_kafka_t*, rd_kafka_resp_err_t failed, rd_kafka_topic_partition_list_t* told,
                     void* offsets) {
    auto* self = static_cast<GroupOffsets*>(offsets);
    self->sent_ns_ = 0;
    // Where one of several was refused all are told again.
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR || told == nullptr) return;
    for (int i = 0; i < told->cnt; ++i)
      self->partitions_.note_committed(told->elems[i].partition, told->elems[i].offset);
  };
  sent_ns_ = env_.monotonic_ns();
  next_ns_ = sent_ns_ + commit_every_ns;
  rd_kafka_resp_err_t failed = api_.commit_queue(client_, list.get(), answers_, answered, this);
  if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) sent_ns_ = 0;
}

bool GroupOffsets::is_answered() const {
  const PartitionList one(api_, options_.address.topic, std::set<int32_t>{*at_start_.begin()});
  return api_.committed(client_, one.get(), answer_wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool GroupOffsets::commit_all(int64_t until_ns) {
  for (int64_t again_ns = 0; sent_ns_ != 0 || !partitions_.to_commit().empty();) {
    const int64_t now_ns = env_.monotonic_ns();
    if (now_ns >= until_ns) return false;
    // One that was refused at once is not sent again at once.
    if (now_ns >= again_ns && sent_ns_ == 0) {
      again_ns = now_ns + commit_again_ns;
      begin_commit();
    }
    (void)api_.queue_poll_callback(answers_, answer_look_ms);
  }
  return true;
}

}  // namespace mut::connector
