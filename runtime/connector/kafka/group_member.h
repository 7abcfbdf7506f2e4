// A member of a group that shares the partitions of a topic: its client, and the thread that serves it.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "runtime/connector/kafka/group_offsets.h"
#include "runtime/connector/kafka/kafka_source.h"
#include "runtime/connector/kafka/source_link.h"

namespace mut::connector {

// The thread asks the library again and again, also while the rows stand still: so the group keeps the
// member. Partitions are granted and taken away on it alone. `env`, `api` and `wake` (may be null) outlive
// it.
class GroupMember {
 public:
  GroupMember(env::Env& env, KafkaSourceOptions options, const KafkaApi& api, env::EventCount* wake,
              std::shared_ptr<Notices> notices);
  // Tells the group what has been run, and leaves it: waits for brokers farewell_ns at most.
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  // Finds out that the topic is there. The group hears nothing of it. Waits kafka_wait_ms at most.
  Status open();
  // Joins the group, unless it has.
  void join();
  GroupPartitions& partitions() { return partitions_; }
  const GroupPartitions& partitions() const { return partitions_; }
  // Rows have taken messages, or run some: there may be room again, or something to tell.
  void note_progress() {
    if (handing_over_.load() || reads_.load() == Reads::Held) bell_->notify();
  }
  // Any thread: nothing is handed over any more. It stays in the group as long as it lives.
  void stop();
  // Whether partitions are others' as soon as what was taken of them has been run.
  bool is_handing_over() const;
  // Why it cannot go on; null: it can. Any thread.
  const Error* failure() const { return failed_.load() ? &error_ : nullptr; }

 private:
  void run();
  void leave();
  // What has come, as far as there is room.
  void receive();
  void hear(KafkaMessage message, std::vector<KafkaMessage>& to);
  void hold_or_go_on();
  // Begins partitions that were granted when no broker said where.
  void begin_unplaced();
  bool place_unplaced();
  // Partitions whose place is known, and none else.
  void read_from_places();
  void rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& partitions);
  void let_go();
  void fail(std::string why);
  // "source `payments`: partitions 0-2 of topic `payments` are this run's", where `of_one` is "is this
  // run's".
  void tell(const std::set<int32_t>& partitions, const std::string& of_one);
  static void hear_error(int code, const std::string& why, void* member);

  env::Env& env_;
  KafkaSourceOptions options_;
  const KafkaApi& api_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::EventCount> bell_;
  GroupPartitions partitions_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> handing_over_{false};
  std::atomic<bool> over_{false};
  enum class Reads : uint8_t { On, Held };
  std::atomic<Reads> reads_{Reads::On};
  std::atomic<bool> failed_{false};
  Error error_;  // before failed_

  // ---- of who opens it, then of the thread
  std::optional<SourceLink> link_;
  KafkaClient client_;
  std::optional<GroupOffsets> offsets_;
  rd_kafka_queue_t* queue_ = nullptr;      // of messages, and of what becomes of partitions
  std::set<int32_t> unplaced_;             // granted, and not read yet
  uint64_t deals_ = 0;                     // how often partitions were granted
  std::optional<std::set<int32_t>> told_;  // which are this run's, as people know

  std::unique_ptr<env::Thread> thread_;  // from join() on
};

// Nanoseconds: for a last commit.
constexpr int64_t farewell_ns = 5'000'000'000;

}  // namespace mut::connector
