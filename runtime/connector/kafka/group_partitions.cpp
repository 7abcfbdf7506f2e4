#include "runtime/connector/kafka/group_partitions.h"

#include <algorithm>
#include <utility>

namespace mut::connector {

void GroupPartitions::grant(const std::map<int32_t, Place>& places) {
  std::lock_guard lock(mutex_);
  for (const auto& [partition, place] : places) {
    int64_t committed = place.group == Place::To::Known ? place.next : -1;
    partitions_[partition] = {++grants_, place.next, place.next, place.next, committed};
  }
}

void GroupPartitions::withdraw(const std::set<int32_t>& partitions) {
  std::lock_guard lock(mutex_);
  for (int32_t partition : partitions) {
    if (auto found = partitions_.find(partition); found != partitions_.end())
      found->second.life = Partition::Life::Leaving;
  }
  std::erase_if(waiting_, [&](const KafkaMessage& message) {
    if (!partitions.contains(message->partition)) return false;
    bytes_ -= size_of(*message);
    return true;
  });
}

void GroupPartitions::remove(const std::set<int32_t>& partitions) {
  withdraw(partitions);
  std::lock_guard lock(mutex_);
  for (int32_t partition : partitions) partitions_.erase(partition);
}

bool GroupPartitions::put(std::vector<KafkaMessage> messages) {
  std::lock_guard lock(mutex_);
  const bool was_empty = waiting_.empty();
  for (KafkaMessage& message : messages) {
    auto of = partitions_.find(message->partition);
    // Of before it was taken away, or was held.
    if (of == partitions_.end() || of->second.life == Partition::Life::Leaving) continue;
    if (message->offset < of->second.received) continue;
    of->second.received = message->offset + 1;
    bytes_ += size_of(*message);
    waiting_.push_back(std::move(message));
  }
  return was_empty && !waiting_.empty();
}

std::set<int32_t> GroupPartitions::partitions() const {
  std::lock_guard lock(mutex_);
  std::set<int32_t> out;
  for (const auto& [partition, of] : partitions_) out.insert(partition);
  return out;
}

std::map<int32_t, int64_t> GroupPartitions::places() const {
  std::lock_guard lock(mutex_);
  std::map<int32_t, int64_t> out;
  for (const auto& [partition, of] : partitions_) out[partition] = of.received;
  return out;
}

bool GroupPartitions::are_run() const {
  std::lock_guard lock(mutex_);
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const auto& each) { return each.second.run == each.second.taken; });
}

std::map<int32_t, int64_t> GroupPartitions::to_commit() const {
  std::lock_guard lock(mutex_);
  std::map<int32_t, int64_t> out;
  for (const auto& [partition, of] : partitions_) {
    if (of.run > of.committed) out[partition] = of.run;
  }
  return out;
}

void GroupPartitions::note_committed(int32_t partition, int64_t next) {
  std::lock_guard lock(mutex_);
  auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.committed = std::max(found->second.committed, next);
}

std::optional<GroupPartitions::Taken> GroupPartitions::take(MessageGroup& to) {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  const int32_t partition = waiting_.front()->partition;
  Partition& of = partitions_.at(partition);
  to.begin(kafka_place_text(topic_, partition, waiting_.front()->offset));
  while (!waiting_.empty() && !to.full() && waiting_.front()->partition == partition) {
    const rd_kafka_message_t& message = *waiting_.front();
    add_message(api_, message, record_, text_, to);
    of.taken = message.offset + 1;
    bytes_ -= size_of(message);
    waiting_.pop_front();
  }
  return Taken{partition, of.grant, of.taken};
}

void GroupPartitions::note_run(const Taken& taken) {
  std::lock_guard lock(mutex_);
  auto found = partitions_.find(taken.partition);
  if (found == partitions_.end() || found->second.grant != taken.grant) return;
  found->second.run = std::max(found->second.run, taken.next);
}

size_t GroupPartitions::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace mut::connector
