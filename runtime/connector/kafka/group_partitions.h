// What a member of a group has of a topic: which partitions, what came of them, how far that was run.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/connector/kafka/message.h"

namespace mut::connector {

// Between the thread of the member and that of the rows.
class GroupPartitions {
 public:
  // Messages that were handed over together. `grant` tells apart the times that a partition was granted.
  struct Taken {
    int32_t partition = 0;
    uint64_t grant = 0;
    int64_t next = 0;  // behind the last of them
  };
  // Where a partition is read from. Known: the group knows that place.
  struct Place {
    int64_t next = 0;
    enum class To : uint8_t { Known, Unknown } group = To::Known;
  };

  GroupPartitions(const KafkaApi& api, std::string topic, KafkaRecord record)
      : api_(api), topic_(std::move(topic)), record_(record) {}

  // ---- thread of the member
  void grant(const std::map<int32_t, Place>& places);
  // Nothing more is handed over of these, and what waits of them is let go of.
  void withdraw(const std::set<int32_t>& partitions);
  // They are others' from here on.
  void remove(const std::set<int32_t>& partitions);
  // Messages of other partitions, and such as came before, are let go of. Whether the rows have to be woken.
  bool put(std::vector<KafkaMessage> messages);
  bool has_room() const { return bytes() < bytes_max; }
  // Whether so much was taken since it had none that it is worth to ask for more.
  bool has_much_room() const { return bytes() < bytes_max / 2; }
  std::set<int32_t> partitions() const;
  // By partition: what is to come next from the brokers.
  std::map<int32_t, int64_t> places() const;
  // Whether all that was handed over has been run.
  bool are_run() const;
  // By partition: behind the last message that was run, where the group does not know it.
  std::map<int32_t, int64_t> to_commit() const;
  void note_committed(int32_t partition, int64_t next);

  // ---- that of the rows
  // Messages of one partition, until `to` is full. Nothing: none is there.
  std::optional<Taken> take(MessageGroup& to);
  void note_run(const Taken& taken);

  // ---- any
  size_t bytes() const;

 private:
  struct Partition {
    uint64_t grant = 0;
    int64_t received = 0;  // behind the last message, and so on
    int64_t taken = 0;
    int64_t run = 0;
    int64_t committed = 0;  // -1: the group knows no place
    enum class Life : uint8_t { Read, Leaving } life = Life::Read;
  };

  // Read ahead of the rows; what came at once may come on top.
  static constexpr size_t bytes_max = 4 * 1024 * 1024;
  static size_t size_of(const rd_kafka_message_t& message) { return 256 + message.len + message.key_len; }

  const KafkaApi& api_;
  const std::string topic_;
  const KafkaRecord record_;
  std::string text_;  // of the thread of the rows
  mutable std::mutex mutex_;
  // ---- what it guards
  std::map<int32_t, Partition> partitions_;
  std::deque<KafkaMessage> waiting_;
  size_t bytes_ = 0;
  uint64_t grants_ = 0;
};

}  // namespace mut::connector
