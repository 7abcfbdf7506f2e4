// Messages between the thread that a broker is read on and that of the rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "runtime/connector/message/subscription.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct BrokerMessage {
  std::string payload;
  // Where it stands in its stream, or how many have come with it; rises.
  uint64_t place = 0;
  std::string receipt{};  // what the broker is told when it need not be kept; empty: nothing
};

// Threads: put() and has_room() one, the rest another.
class MessageQueue {
 public:
  // Rung: `wake`, which may be null, when a message comes; `room` when there is room again.
  MessageQueue(env::EventCount* wake, env::SocketSet& room) : wake_(wake), room_(room) {}

  bool has_room() const {
    std::lock_guard lock(mutex_);
    return bytes_ < bytes_max;
  }
  // Takes it, whether there is room or not.
  void put(BrokerMessage message) {
    bool was_empty = false;
    {
      std::lock_guard lock(mutex_);
      was_empty = messages_.empty();
      bytes_ += size_of(message);
      messages_.push_back(std::move(message));
    }
    if (was_empty && wake_ != nullptr) wake_->notify();
  }

  size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }
  // False where there is none.
  bool take(BrokerMessage& to) {
    bool room = false;
    {
      std::lock_guard lock(mutex_);
      if (messages_.empty()) return false;
      to = std::move(messages_.front());
      messages_.pop_front();
      room = bytes_ >= bytes_max;
      bytes_ -= size_of(to);
      room = room && bytes_ < bytes_max;
    }
    if (room) room_.ring();
    return true;
  }

 private:
  // Read ahead of the rows; one message may come on top.
  static constexpr size_t bytes_max = 1024 * 1024;
  static size_t size_of(const BrokerMessage& message) {
    return sizeof(BrokerMessage) + message.payload.size() + message.receipt.size();
  }

  env::EventCount* wake_;
  env::SocketSet& room_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<BrokerMessage> messages_;
  size_t bytes_ = 0;
};

}  // namespace mut::connector
