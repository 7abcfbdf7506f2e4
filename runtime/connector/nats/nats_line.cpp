// Messages as they are sent: who is not there when one is sent does not get it.
#include <optional>
#include <utility>

#include "runtime/connector/nats/jetstream_line.h"
#include "runtime/connector/nats/nats_connection.h"
#include "runtime/connector/nats/nats_dial.h"

namespace mut::connector {
namespace {

// Between two looks at whether it is stopped, milliseconds.
constexpr int64_t look_ms = 100;
constexpr int64_t drain_wait_ms = 1'000;
constexpr int64_t look_ns = look_ms * 1'000'000;
// What waits in the library while rows are not taken; what comes then is dropped there. Messages, bytes.
constexpr int waiting_messages_max = 1'000'000;
constexpr int waiting_bytes_max = 64 * 1024 * 1024;

class NatsLine final : public BrokerLine {
 public:
  NatsLine(env::Env& env, std::shared_ptr<const NatsLibrary> nats, NatsTarget target,
           std::shared_ptr<Notices> notices)
      : env_(env),
        nats_(std::move(nats)),
        target_(std::move(target)),
        dial_(env, nats_, target_),
        notices_(std::move(notices)) {}

  ~NatsLine() override { disconnect(); }

  Status connect() override {
    auto connected = dial_.connect();
    if (!connected) return connected.error().within(target());
    connection_ = std::move(connected).value();
    natsSubscription* made = nullptr;
    natsStatus status =
        target_.queue.empty()
            ? nats_->natsConnection_SubscribeSync(&made, connection_.get(), target_.subject.c_str())
            : nats_->natsConnection_QueueSubscribeSync(&made, connection_.get(), target_.subject.c_str(),
                                                       target_.queue.c_str());
    if (status == NATS_OK) {
      subscription_ = NatsSubscriptionPtr(made, {nats_.get()});
      (void)nats_->natsSubscription_SetPendingLimits(made, waiting_messages_max, waiting_bytes_max);
      dropped_ = 0;
      // Behind the answer the subscription is the server's, or was refused.
      status = nats_->natsConnection_FlushTimeout(connection_.get(), line_wait_ns / 1'000'000);
    }
    const char* refused = nullptr;
    if (status == NATS_OK) status = nats_->natsConnection_GetLastError(connection_.get(), &refused);
    if (status == NATS_OK) return Unit{};
    Error error = refused != nullptr && *refused != '\0'
                      ? Error{refused}
                      : nats_error(*nats_, status, "it cannot be subscribed to");
    disconnect();
    return error.within(target());
  }

  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    while (!stopped.load()) {
      if (!to.has_room()) {
        set.wait({}, look_ns);
        continue;
      }
      natsStatus status = hand_over(to, look_ms);
      if (status == NATS_SLOW_CONSUMER) say_dropped();
      bool goes_on = status == NATS_OK || status == NATS_TIMEOUT || status == NATS_SLOW_CONSUMER;
      if (!goes_on) return nats_lost(*nats_, *connection_).within(target());
    }
    // Nothing more is sent here; what has been is still given.
    (void)nats_->natsSubscription_Drain(subscription_.get());
    (void)nats_->natsConnection_FlushTimeout(connection_.get(), drain_wait_ms);
    while (hand_over(to, 1) == NATS_OK) {
    }
    return Unit{};
  }

  void disconnect() noexcept override {
    close_nats(*nats_, connection_);
    subscription_ = nullptr;
    connection_ = nullptr;
  }

  std::string target() const override { return target_.text(); }
  std::string name_from(uint64_t place) const override {
    return "nats " + target_.subject + " from " + std::to_string(place);
  }

 private:
  natsStatus hand_over(MessageQueue& to, int64_t wait_ms) {
    natsMsg* got = nullptr;
    natsStatus status = nats_->natsSubscription_NextMsg(&got, subscription_.get(), wait_ms);
    if (status != NATS_OK) return status;
    NatsMessagePtr message(got, {nats_.get()});
    to.put({text_of(*nats_, *got, target_.record), ++received_});
    return NATS_OK;
  }

  void say_dropped() {
    int64_t dropped = 0;
    (void)nats_->natsSubscription_GetDropped(subscription_.get(), &dropped);
    if (dropped == dropped_) return;
    notices_->say_seldom("dropped " + target(),
                         target() + ": " + std::to_string(dropped - std::exchange(dropped_, dropped)) +
                             " messages came faster than rows are run, and were dropped",
                         env_.monotonic_ns());
  }

  env::Env& env_;
  std::shared_ptr<const NatsLibrary> nats_;
  NatsTarget target_;
  NatsDial dial_;
  std::shared_ptr<Notices> notices_;
  NatsConnectionPtr connection_;
  NatsSubscriptionPtr subscription_;
  uint64_t received_ = 0;
  int64_t dropped_ = 0;  // of these, said
};

}  // namespace

Result<std::unique_ptr<BrokerLine>> make_nats_line(env::Env& env, const NatsTarget& target,
                                                   std::shared_ptr<Notices> notices) {
  auto nats = load_nats(env);
  if (!nats) return nats.error();
  if (!target.stream.empty()) return make_jetstream_line(env, nats.value(), target, std::move(notices));
  return std::unique_ptr<BrokerLine>(
      std::make_unique<NatsLine>(env, nats.value(), target, std::move(notices)));
}

}  // namespace mut::connector
