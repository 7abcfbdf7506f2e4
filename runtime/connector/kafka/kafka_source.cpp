#include "runtime/connector/kafka/kafka_source.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "runtime/connector/kafka/message.h"
#include "runtime/connector/kafka/partition_watch.h"
#include "runtime/connector/kafka/source_link.h"

namespace mut::connector {
namespace {

class KafkaSource final : public Subscription {
 public:
  KafkaSource(env::Env& env, KafkaSourceOptions options, const KafkaApi& api, env::EventCount* wake,
              std::shared_ptr<Notices> notices)
      : env_(env), options_(std::move(options)), api_(api), wake_(wake), notices_(std::move(notices)) {}
  ~KafkaSource() override {
    watch_ = nullptr;
    received_.clear();
    if (queue_ != nullptr) {
      api_.queue_cb_event_enable(queue_, nullptr, nullptr);
      api_.queue_destroy(queue_);
    }
    if (client_) (void)api_.consumer_close(client_.get());
  }

  Status open() {
    auto client =
        make_kafka_client(env_, api_, RD_KAFKA_CONSUMER, options_.address, settings(), {this, note_error});
    if (!client) return client.error().within(options_.address.brokers);
    client_ = std::move(client).value();
    auto partitions = kafka_partitions(env_, api_, client_, options_.address);
    if (!partitions) return partitions.error();
    (void)api_.poll_set_consumer(client_.get());
    Status placed = begin(partitions.value());
    if (!placed) return placed;
    queue_ = api_.queue_get_consumer(client_.get());
    api_.queue_cb_event_enable(
        queue_,
        [](rd_kafka_t*, void* source) {
          auto* self = static_cast<KafkaSource*>(source);
          if (self->wake_ != nullptr) self->wake_->notify();
        },
        this);
    link_.emplace(env_, api_, options_.name, options_.address, notices_);
    return Unit{};
  }

  Poll take(MessageGroup& to) override {
    if (!assigned_) assign();
    if (!held_) add_partitions();
    bool stopped = stopped_.load();
    // One that is stopped gives what it has received; the first group of a run that goes on is given as a
    // whole.
    if ((received_.empty() || held_) && !stopped && !receive()) return Poll::Failed;
    if (held_ && !received_.empty() && !check_held()) {
      return error_.message.empty() ? Poll::Wait : Poll::Failed;
    }
    if (received_.empty() || (held_ && stopped)) {
      group_ = {};
      return stopped ? Poll::End : Poll::Wait;
    }
    const rd_kafka_message_t& first = *received_.front();
    group_ = {first.partition, next_[first.partition], next_[first.partition]};
    to.begin(kafka_place_text(options_.address.topic, first.partition, first.offset));
    while (!received_.empty() && !to.full() && belongs(*received_.front())) {
      add(*received_.front(), to);
      received_.pop_front();
    }
    if (held_ && group_.end >= held_->end) {
      held_.reset();
      assigned_ = false;  // the other partitions come too
    }
    taken_.push_back({messages_, group_.partition, group_.end});
    return Poll::Ready;
  }

  const Error& error() const override { return error_; }
  void stop() override {
    stopped_.store(true);
    if (wake_ != nullptr) wake_->notify();
  }

  bool replays() const override { return true; }

  // "3:1200-1300#100;0:77-77#0;…": partition, next message, where the group ends that comes first, and how
  // many messages it had.
  std::string cursor() const override {
    std::string out;
    auto add_place = [&](int32_t partition, int64_t from, int64_t to, uint64_t messages) {
      if (!out.empty()) out += ';';
      out += std::to_string(partition) + ":" + std::to_string(from) + "-" + std::to_string(to) + "#" +
             std::to_string(messages);
    };
    if (group_.begin != group_.end) add_place(group_.partition, group_.begin, group_.end, group_.messages);
    for (const auto& [partition, next] : next_) {
      if (group_.begin == group_.end || partition != group_.partition) add_place(partition, next, next, 0);
    }
    return out;
  }

  Status resume(const std::string& cursor) override {
    std::map<int32_t, int64_t> places;
    const char* at = cursor.data();
    const char* end = at + cursor.size();
    bool first = true;
    while (at != end) {
      int32_t partition = 0;
      int64_t from = 0;
      int64_t to = 0;
      uint64_t messages = 0;
      bool fine = read(at, end, partition, ':') && read(at, end, from, '-') && read(at, end, to, '#') &&
                  read(at, end, messages, ';');
      if (!fine || !next_.contains(partition))
        return Error{"topic `" + options_.address.topic + "` has not the partitions that it had: " + cursor};
      if (first && from != to) held_ = Group{partition, from, to, messages};
      places[partition] = from;
      first = false;
    }
    // A partition that is new since is read from its begin.
    for (auto& [partition, next] : next_) {
      auto known = places.find(partition);
      int64_t low = low_[partition];
      if (known != places.end() && known->second < low) {
        return Error{"topic `" + options_.address.topic + "`, partition " + std::to_string(partition) +
                     ": the messages from " + std::to_string(known->second) +
                     " on are not kept any more, the first is " + std::to_string(low)};
      }
      next = known != places.end() ? known->second : low;
    }
    assigned_ = false;
    return Unit{};
  }

  void acknowledge(uint64_t messages) override {
    std::map<int32_t, int64_t> done;
    while (!taken_.empty() && taken_.front().messages <= messages) {
      done[taken_.front().partition] = taken_.front().next;
      taken_.pop_front();
    }
    if (options_.group.empty() || done.empty()) return;
    rd_kafka_topic_partition_list_t* list = list_of(done);
    (void)api_.commit(client_.get(), list, 1);
    api_.topic_partition_list_destroy(list);
  }

 private:
  struct Group {
    int32_t partition = 0;
    int64_t begin = 0;
    int64_t end = 0;
    uint64_t messages = 0;
  };
  struct Taken {
    uint64_t messages = 0;  // up to and with the group
    int32_t partition = 0;
    int64_t next = 0;
  };

  std::vector<std::pair<std::string, std::string>> settings() const {
    return {{"group.id", options_.group.empty() ? "mutstream" : options_.group},
            {"enable.auto.commit", "false"},
            {"enable.auto.offset.store", "false"},
            {"enable.partition.eof", "false"},
            {"auto.offset.reset", "error"},
            {"isolation.level", "read_committed"},
            {"queued.max.messages.kbytes", "16384"},
            {"fetch.wait.max.ms", "100"}};
  }

  template <typename Number>
  static bool read(const char*& at, const char* end, Number& to, char behind) {
    auto [next, failed] = std::from_chars(at, end, to);
    if (failed != std::errc()) return false;
    at = next;
    if (at == end) return behind == ';';
    return *at++ == behind;
  }

  // Called by who polls.
  static void note_error(int code, const std::string& reason, void* source) {
    auto* self = static_cast<KafkaSource*>(source);
    if (self->link_) self->link_->note_error(self->client_.get(), code, reason);
  }

  // Where each partition begins.
  Status begin(const std::vector<int32_t>& partitions) {
    std::map<int32_t, int64_t> of_group;
    if (options_.start == KafkaSourceOptions::Start::Group) {
      auto found = committed(partitions);
      if (!found) return found.error();
      of_group = std::move(found).value();
    }
    for (int32_t partition : partitions) {
      int64_t low = 0;
      int64_t high = 0;
      rd_kafka_resp_err_t failed = api_.query_watermark_offsets(client_.get(), options_.address.topic.c_str(),
                                                                partition, &low, &high, kafka_wait_ms);
      if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{api_.err2str(failed)};
      low_[partition] = low;
      next_[partition] = options_.start == KafkaSourceOptions::Start::New ? high : low;
      if (of_group.contains(partition)) next_[partition] = std::max(of_group[partition], low);
    }
    return Unit{};
  }

  Result<std::map<int32_t, int64_t>> committed(const std::vector<int32_t>& partitions) {
    std::map<int32_t, int64_t> out;
    for (int32_t partition : partitions) out[partition] = RD_KAFKA_OFFSET_INVALID;
    rd_kafka_topic_partition_list_t* list = list_of(out);
    rd_kafka_resp_err_t failed = api_.committed(client_.get(), list, kafka_wait_ms);
    out.clear();
    for (int i = 0; i < list->cnt; ++i) {
      if (list->elems[i].offset >= 0) out[list->elems[i].partition] = list->elems[i].offset;
    }
    api_.topic_partition_list_destroy(list);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{api_.err2str(failed)};
    return out;
  }

  rd_kafka_topic_partition_list_t* list_of(const std::map<int32_t, int64_t>& places) const {
    rd_kafka_topic_partition_list_t* out = api_.topic_partition_list_new(static_cast<int>(places.size()));
    for (const auto& [partition, place] : places)
      api_.topic_partition_list_add(out, options_.address.topic.c_str(), partition)->offset = place;
    return out;
  }

  // What a run before had begun to take of one partition comes before the others.
  void assign() {
    received_.clear();  // they come again
    std::map<int32_t, int64_t> places = next_;
    if (held_) std::erase_if(places, [&](const auto& place) { return place.first != held_->partition; });
    rd_kafka_topic_partition_list_t* list = list_of(places);
    (void)api_.assign(client_.get(), list);
    api_.topic_partition_list_destroy(list);
    assigned_ = true;
    if (watch_) return;
    std::set<int32_t> known;
    for (const auto& [partition, next] : next_) known.insert(partition);
    watch_ = std::make_unique<PartitionWatch>(env_, api_, client_.get(), options_.address.topic,
                                              std::move(known), wake_);
  }

  // Such as the topic has got since are read from their begin.
  void add_partitions() {
    std::map<int32_t, int64_t> fresh = watch_->take();
    if (fresh.empty()) return;
    rd_kafka_topic_partition_list_t* list = list_of(fresh);
    rd_kafka_error_t* failed = api_.incremental_assign(client_.get(), list);
    if (failed != nullptr) api_.error_destroy(failed);
    api_.topic_partition_list_destroy(list);
    if (failed != nullptr) assigned_ = false;  // all of them anew
    next_.insert(fresh.begin(), fresh.end());
    low_.insert(fresh.begin(), fresh.end());
    notices_->say("source `" + options_.name + "`: topic `" + options_.address.topic + "` has " +
                  std::to_string(next_.size()) + " partitions now");
  }

  bool belongs(const rd_kafka_message_t& message) const {
    return message.partition == group_.partition && (!held_ || message.offset < held_->end);
  }

  // Whether the group that was begun by a run before has come whole. Where messages of it are gone, by
  // compaction, nobody can say which had been run.
  bool check_held() {
    if (received_.back()->offset < held_->end - 1) return false;
    auto count = static_cast<uint64_t>(
        std::count_if(received_.begin(), received_.end(),
                      [&](const KafkaMessage& each) { return each->offset < held_->end; }));
    if (held_checked_ || count == held_->messages) return held_checked_ = true;
    error_ = Error{"topic `" + options_.address.topic + "`, partition " + std::to_string(held_->partition) +
                   ": of the messages from " + std::to_string(held_->begin) + " to " +
                   std::to_string(held_->end - 1) +
                   " some are not kept any more, so that nobody knows which of them were run: begin anew, or "
                   "from a copy"};
    return false;
  }

  void add(const rd_kafka_message_t& message, MessageGroup& to) {
    add_message(api_, message, options_.record, text_, to);
    group_.end = next_[message.partition] = message.offset + 1;
    ++group_.messages;
    ++messages_;
  }

  // What has come, without waiting. False: the source cannot go on.
  bool receive() {
    std::array<rd_kafka_message_t*, ask_messages> came{};
    ssize_t count = api_.consume_batch_queue(queue_, 0, came.data(), came.size());
    for (ssize_t i = 0; i < count; ++i) {
      KafkaMessage message(came[static_cast<size_t>(i)], KafkaMessageDeleter{&api_});
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        // Of before the partitions were assigned anew.
        if (message->offset >= next_[message->partition]) received_.push_back(std::move(message));
        continue;
      }
      if (!ends_source(message->err)) {
        note_error(message->err, api_.err2str(message->err), this);
        continue;
      }
      error_ = Error{"topic `" + options_.address.topic + "`: " + api_.err2str(message->err)};
      return false;
    }
    if (!received_.empty()) link_->note_message();
    return true;
  }

  env::Env& env_;
  KafkaSourceOptions options_;
  KafkaApi api_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  std::optional<SourceLink> link_;
  KafkaClient client_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::deque<KafkaMessage> received_;  // and not taken
  std::map<int32_t, int64_t> next_;    // by partition: the message that is taken next
  std::map<int32_t, int64_t> low_;     // the first that is kept
  Group group_;                        // that was taken last; begin == end: none
  std::optional<Group> held_;          // comes first, as the run before had it
  bool held_checked_ = false;
  bool assigned_ = false;
  uint64_t messages_ = 0;
  std::deque<Taken> taken_;  // groups that are not acknowledged
  std::string text_;
  std::atomic<bool> stopped_{false};
  Error error_;
  std::unique_ptr<PartitionWatch> watch_;  // from the first take() on
};

}  // namespace

Result<std::unique_ptr<Subscription>> open_kafka_source(env::Env& env, KafkaSourceOptions options,
                                                        env::EventCount* wake,
                                                        std::shared_ptr<Notices> notices) {
  auto api = load_kafka(env);
  if (!api) return api.error();
  auto source = std::make_unique<KafkaSource>(env, std::move(options), api.value(), wake, std::move(notices));
  Status opened = source->open();
  if (!opened) return opened.error();
  return std::unique_ptr<Subscription>(std::move(source));
}

}  // namespace mut::connector
