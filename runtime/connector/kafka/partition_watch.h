// Partitions that a topic gets while it is read.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "runtime/connector/kafka/settings.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Looks every partition_look_ns, on a thread of its own, since the library answers no sooner than a broker
// does. What it is made of outlives it.
class PartitionWatch {
 public:
  PartitionWatch(env::Env& env, const KafkaApi& api, rd_kafka_t* client, std::string topic,
                 std::set<int32_t> known, env::EventCount* wake);
  // Waits for a look, a second at most.
  ~PartitionWatch();
  PartitionWatch(const PartitionWatch&) = delete;
  PartitionWatch& operator=(const PartitionWatch&) = delete;

  // By number, those that came since: the first message that each keeps. Any thread.
  std::map<int32_t, int64_t> take();

 private:
  void run();
  void look(rd_kafka_topic_t* topic);

  env::Env& env_;
  const KafkaApi& api_;
  rd_kafka_t* client_;
  std::string topic_;
  std::set<int32_t> known_;  // of the thread
  env::EventCount* wake_;
  std::unique_ptr<env::SocketSet> set_;
  std::atomic<bool> over_{false};
  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::map<int32_t, int64_t> found_;  // and not taken
  std::unique_ptr<env::Thread> thread_;
};

constexpr int64_t partition_look_ns = 5'000'000'000;

}  // namespace mut::connector
