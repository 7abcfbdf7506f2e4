// Where a group has been in a topic: asked of the brokers, and told to them.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "runtime/connector/kafka/group_partitions.h"
#include "runtime/connector/kafka/kafka_source.h"

namespace mut::connector {

// Threads: that of the member, which asks for answers by each of these functions. What it is made of outlives
// it.
class GroupOffsets {
 public:
  using Places = std::map<int32_t, GroupPartitions::Place>;

  // `at_start`: partitions that the topic had when the run began.
  GroupOffsets(env::Env& env, const KafkaApi& api, rd_kafka_t* client, const KafkaSourceOptions& options,
               GroupPartitions& partitions, std::set<int32_t> at_start, std::shared_ptr<Notices> notices);
  ~GroupOffsets();
  GroupOffsets(const GroupOffsets&) = delete;
  GroupOffsets& operator=(const GroupOffsets&) = delete;

  // Where reading begins: behind what the group has run, else as the script says. Those of which no broker
  // says anything are left out; waits two seconds for one, less for others.
  Places find(const std::set<int32_t>& wanted);
  // Tells the group what has been run, where it does not know it; from time to time, without waiting.
  void commit_due();
  // Until the group knows all that was run, or that time. Whether it does, and no commit is under way.
  bool commit_all(int64_t until_ns);
  // Whether brokers say where the group has been; waits two seconds.
  bool is_answered() const;

 private:
  std::optional<GroupPartitions::Place> place(int32_t partition, int64_t committed, int wait_ms);
  void begin_commit();

  env::Env& env_;
  const KafkaApi& api_;
  rd_kafka_t* client_;
  const KafkaSourceOptions& options_;
  GroupPartitions& partitions_;
  const std::set<int32_t> at_start_;
  std::shared_ptr<Notices> notices_;
  rd_kafka_queue_t* answers_;
  int64_t sent_ns_ = 0;  // of a commit that is not answered; else 0
  int64_t next_ns_ = 0;  // no commit sooner
};

}  // namespace mut::connector
