// Partitions of one topic as the library takes them.
#pragma once
#include <map>
#include <set>
#include <string>

#include "runtime/connector/kafka/api.h"

namespace mut::connector {

class PartitionList {
 public:
  // Each with an offset. `api` outlives it.
  PartitionList(const KafkaApi& api, const std::string& topic, const std::map<int32_t, int64_t>& places)
      : api_(api), list_(api.topic_partition_list_new(static_cast<int>(places.size()))) {
    for (const auto& [partition, place] : places)
      api_.topic_partition_list_add(list_, topic.c_str(), partition)->offset = place;
  }
  // Each without one.
  PartitionList(const KafkaApi& api, const std::string& topic, const std::set<int32_t>& partitions)
      : api_(api), list_(api.topic_partition_list_new(static_cast<int>(partitions.size()))) {
    for (int32_t partition : partitions) (void)api_.topic_partition_list_add(list_, topic.c_str(), partition);
  }
  ~PartitionList() { api_.topic_partition_list_destroy(list_); }
  PartitionList(const PartitionList&) = delete;
  PartitionList& operator=(const PartitionList&) = delete;

  rd_kafka_topic_partition_list_t* get() const { return list_; }

 private:
  const KafkaApi& api_;
  rd_kafka_topic_partition_list_t* list_;
};

// "0-2, 5"
inline std::string partitions_text(const std::set<int32_t>& partitions) {
  std::string out;
  for (auto at = partitions.begin(); at != partitions.end();) {
    const int32_t first = *at;
    int32_t last = first;
    while (++at != partitions.end() && *at == last + 1) last = *at;
    if (!out.empty()) out += ", ";
    out += std::to_string(first);
    if (last != first) out += (last == first + 1 ? ", " : "-") + std::to_string(last);
  }
  return out;
}

}  // namespace mut::connector
