// One connection to a broker that gives messages by itself: what differs from one broker to the other.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/abi/result.h"
#include "runtime/connector/message/message_queue.h"
#include "runtime/connector/message/subscription.h"
#include "runtime/connector/notices.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Threads: connect() at first that of who opens it; then its own, acknowledge() apart, which is that of the
// rows. Waits for the world line_wait_ns at most. Prints nothing.
class BrokerLine {
 public:
  virtual ~BrokerLine() = default;
  // Finds out what can be known before messages come: that the password is right, that the stream is there.
  virtual Status connect() = 0;
  // Messages are asked for; each time behind connect(), and not before the first is wanted.
  virtual Status begin() { return Unit{}; }
  // Puts messages into the queue while there is room, until `stopped`, or the connection is lost: then says
  // why. `set` is rung when there is room again, and when it is stopped.
  virtual Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) = 0;
  virtual void disconnect() noexcept = 0;

  // "nats 127.0.0.1:4222 orders.>", for people.
  virtual std::string target() const = 0;
  // What messages from that place on are called in errors: "nats ORDERS from 1200".
  virtual std::string name_from(uint64_t place) const = 0;

  // ---- one whose messages can be had again
  virtual bool replays() const { return false; }
  virtual uint64_t first_place() const { return 0; }  // while connected
  // Before begin().
  virtual Status go_to(uint64_t place) {
    (void)place;
    return Error{"its messages cannot be had again"};
  }

  // Everything up to the message with that receipt need not be kept.
  virtual void acknowledge(const std::string& receipt) { (void)receipt; }
};

// Nanoseconds.
constexpr int64_t line_wait_ns = 5'000'000'000;

// Connects; from then on a connection that is lost is made again. `name` is that of the source; `env` and
// `wake` (may be null) outlive it.
Result<std::unique_ptr<Subscription>> open_broker_subscription(env::Env& env, const std::string& name,
                                                               std::unique_ptr<BrokerLine> line,
                                                               env::EventCount* wake,
                                                               std::shared_ptr<Notices> notices);

}  // namespace mut::connector
