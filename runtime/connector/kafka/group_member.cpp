#include "runtime/connector/kafka/group_member.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/connector/kafka/partition_list.h"
#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// Nanoseconds, between two looks when nobody rings.
constexpr int64_t look_ns = 100'000'000;
// Partitions that are taken away wait so long for what was taken of them, and half as long as the group waits
// for a member: else it would be given up.
constexpr int64_t hand_over_ns = 10'000'000'000;
constexpr int64_t ns_per_ms = 1'000'000;

std::vector<std::pair<std::string, std::string>> settings_of(const KafkaSourceOptions& options) {
  const int64_t timeout_ms = options.member_timeout_ns / ns_per_ms;
  return {{"group.id", options.group},
          // The others take none away before a member has told the group where it is: during a cooperative
          // rebalance up to librdkafka 2.0.2 a commit meets another generation, and all partitions are lost.
          {"partition.assignment.strategy", "range,roundrobin"},
          {"session.timeout.ms", std::to_string(timeout_ms)},
          // Others wait so long for a member that has to let partitions go.
          {"max.poll.interval.ms", std::to_string(timeout_ms)},
          {"heartbeat.interval.ms", std::to_string(std::clamp<int64_t>(timeout_ms / 10, 100, 1000))},
          {"topic.metadata.refresh.interval.ms", "5000"},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"enable.partition.eof", "false"},
          {"auto.offset.reset", "error"},
          {"isolation.level", "read_committed"},
          {"queued.max.messages.kbytes", "16384"},
          {"fetch.wait.max.ms", "100"}};
}

}  // namespace

GroupMember::GroupMember(env::Env& env, KafkaSourceOptions options, const KafkaApi& api,
                         env::EventCount* wake, std::shared_ptr<Notices> notices)
    : env_(env),
      options_(std::move(options)),
      api_(api),
      wake_(wake),
      notices_(std::move(notices)),
      bell_(env.make_event_count()),
      partitions_(api, options_.address.topic, options_.record) {}

GroupMember::~GroupMember() {
  over_.store(true);
  bell_->notify();
  thread_ = nullptr;
  partitions_.remove(partitions_.partitions());
  offsets_.reset();
  if (queue_ == nullptr) return;
  api_.queue_cb_event_enable(queue_, nullptr, nullptr);
  api_.queue_destroy(queue_);
}

Status GroupMember::open() {
  KafkaCallbacks callbacks{this, hear_error};
  callbacks.rebalance = [](rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* member) {
    static_cast<GroupMember*>(member)->rebalance(code, *list);
  };
  auto client =
      make_kafka_client(env_, api_, RD_KAFKA_CONSUMER, options_.address, settings_of(options_), callbacks);
  if (!client) return client.error().within(options_.address.brokers);
  client_ = std::move(client).value();
  auto partitions = kafka_partitions(env_, api_, client_, options_.address);
  if (!partitions) return partitions.error();
  offsets_.emplace(env_, api_, client_.get(), options_, partitions_,
                   std::set<int32_t>{partitions.value().begin(), partitions.value().end()}, notices_);
  (void)api_.poll_set_consumer(client_.get());
  queue_ = api_.queue_get_consumer(client_.get());
  api_.queue_cb_event_enable(
      queue_, [](rd_kafka_t*, void* member) { static_cast<GroupMember*>(member)->bell_->notify(); }, this);
  link_.emplace(env_, api_, options_.name, options_.address, notices_);
  return Unit{};
}

void GroupMember::join() {
  if (thread_) return;
  thread_ = env_.start_thread("mut-kafka", [this] {
    env::Does reads(Work::Decode);
    run();
  });
}

void GroupMember::stop() {
  stopped_.store(true);
  partitions_.withdraw(partitions_.partitions());
  if (wake_ != nullptr) wake_->notify();
}

bool GroupMember::is_handing_over() const {
  return handing_over_.load() || (stopped_.load() && !partitions_.are_run());
}

// ---- the thread

void GroupMember::run() {
  const PartitionList topic(api_, options_.address.topic,
                            std::map<int32_t, int64_t>{{RD_KAFKA_PARTITION_UA, RD_KAFKA_OFFSET_INVALID}});
  rd_kafka_resp_err_t joined = api_.subscribe(client_.get(), topic.get());
  if (joined != RD_KAFKA_RESP_ERR_NO_ERROR) fail(api_.err2str(joined));
  while (!over_.load() && !failed_.load()) {
    const uint64_t seen = bell_->current();
    receive();
    begin_unplaced();
    hold_or_go_on();
    offsets_->commit_due();
    bell_->wait(seen, look_ns);
  }
  leave();
}

void GroupMember::leave() {
  bool told = failed_.load() || offsets_->commit_all(env_.monotonic_ns() + farewell_ns);
  over_.store(true);  // nobody runs what was taken any more
  // The library would wait for the answer to a commit, for a minute; for a group that nobody knows, for ever.
  told = told && offsets_->is_answered();
  if (!told) client_.get_deleter().farewell = KafkaClientDeleter::Farewell::Silent;
  if (told) (void)api_.consumer_close(client_.get());
}

void GroupMember::receive() {
  std::array<rd_kafka_message_t*, ask_messages> came{};
  std::vector<KafkaMessage> messages;
  ssize_t count = 0;
  do {
    const uint64_t deal = deals_;
    count = api_.consume_batch_queue(queue_, 0, came.data(), came.size());
    messages.clear();
    for (ssize_t i = 0; i < count; ++i)
      hear(KafkaMessage(came[static_cast<size_t>(i)], KafkaMessageDeleter{&api_}), messages);
    if (messages.empty() || stopped_.load()) continue;
    link_->note_message();
    if (deal != deals_) {
      // Of before or behind it: nobody knows.
      read_from_places();
      continue;
    }
    if (partitions_.put(std::move(messages)) && wake_ != nullptr) wake_->notify();
  } while (count > 0 && partitions_.has_room() && !failed_.load() && !stopped_.load() && !over_.load());
}

void GroupMember::hear(KafkaMessage message, std::vector<KafkaMessage>& to) {
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return to.push_back(std::move(message));
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return;  // it joins again by itself, and tells what it has lost
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      // What is read next is not kept any more.
      partitions_.remove({message->partition});
      unplaced_.insert(message->partition);
      return;
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
      return fail("group `" + options_.group +
                  "`: its other members share partitions in another way: these need "
                  "`partition.assignment.strategy` range or roundrobin");
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
      return fail("group `" + options_.group + "`: the brokers do not take this `member_timeout`");
    default:
      if (ends_source(message->err))
        return fail("topic `" + options_.address.topic + "`: " + api_.err2str(message->err));
      link_->note_error(client_.get(), message->err, api_.err2str(message->err));
  }
}

// The library is asked on while the rows stand still, and gives no messages meanwhile.
void GroupMember::hold_or_go_on() {
  const Reads reads = reads_.load();
  const bool hold = reads == Reads::On && !partitions_.has_room();
  const bool go_on = reads == Reads::Held && partitions_.has_much_room();
  if (!hold && !go_on) return;
  const PartitionList all(api_, options_.address.topic, partitions_.partitions());
  (void)(hold ? api_.pause_partitions : api_.resume_partitions)(client_.get(), all.get());
  reads_.store(hold ? Reads::Held : Reads::On);
}

// ---- partitions come and go

void GroupMember::rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& partitions) {
  if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return let_go();
  std::set<int32_t> granted;
  for (int i = 0; i < partitions.cnt; ++i) granted.insert(partitions.elems[i].partition);
  ++deals_;
  unplaced_ = granted;
  (void)place_unplaced();
  read_from_places();
  if (told_ == granted || over_.load()) return;
  tell(granted, "is this run's");
  told_ = granted;
}

// All of them: the group deals them out anew.
void GroupMember::let_go() {
  const bool lost = api_.assignment_lost(client_.get()) != 0;
  const std::set<int32_t> partitions = partitions_.partitions();
  partitions_.withdraw(partitions);
  const int64_t until_ns = env_.monotonic_ns() + std::min(hand_over_ns, options_.member_timeout_ns / 2);
  handing_over_.store(true);
  if (wake_ != nullptr) wake_->notify();
  while (!lost && !over_.load() && !partitions_.are_run() && env_.monotonic_ns() < until_ns) {
    const uint64_t seen = bell_->current();
    if (!partitions_.are_run()) bell_->wait(seen, look_ns);
  }
  handing_over_.store(false);
  const bool run = partitions_.are_run();
  if (!lost)
    (void)offsets_->commit_all(env_.monotonic_ns() + std::min(farewell_ns, options_.member_timeout_ns / 4));
  partitions_.remove(partitions);
  unplaced_.clear();
  (void)api_.assign(client_.get(), nullptr);
  if (over_.load() || partitions.empty() || (!lost && run)) return;
  tell(partitions, lost
                       ? "was lost, the group had not heard of this run: what was not confirmed is read again"
                       : "was let go before all that was taken had been run: that is read again");
  told_.reset();
}

void GroupMember::begin_unplaced() {
  if (!unplaced_.empty() && place_unplaced()) read_from_places();
}

// Whether one was.
bool GroupMember::place_unplaced() {
  GroupOffsets::Places places = offsets_->find(unplaced_);
  for (const auto& [partition, place] : places) unplaced_.erase(partition);
  partitions_.grant(places);
  return !places.empty();
}

void GroupMember::read_from_places() {
  const PartitionList all(api_, options_.address.topic, partitions_.places());
  (void)api_.assign(client_.get(), all.get());
  if (reads_.load() == Reads::Held) (void)api_.pause_partitions(client_.get(), all.get());
}

// ---- what people are told

void GroupMember::tell(const std::set<int32_t>& partitions, const std::string& of_one) {
  std::string of_all = of_one;
  if (partitions.size() > 1) of_all.replace(0, of_one.find(' '), of_one.starts_with("is") ? "are" : "were");
  std::string which = partitions.empty()       ? "no partition"
                      : partitions.size() == 1 ? "partition " + partitions_text(partitions)
                                               : "partitions " + partitions_text(partitions);
  notices_->say(link_->about() + ": " + which + " of topic `" + options_.address.topic + "` " + of_all);
}

void GroupMember::fail(std::string why) {
  if (failed_.load()) return;
  error_ = Error{std::move(why)};
  failed_.store(true);
  if (wake_ != nullptr) wake_->notify();
}

void GroupMember::hear_error(int code, const std::string& why, void* member) {
  auto* self = static_cast<GroupMember*>(member);
  if (self->link_) self->link_->note_error(self->client_.get(), code, why);
}

}  // namespace mut::connector
