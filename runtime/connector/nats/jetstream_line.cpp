#include "runtime/connector/nats/jetstream_line.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/connector/nats/nats_connection.h"
#include "runtime/connector/nats/nats_dial.h"

namespace mut::connector {
namespace {

// Between two looks at whether it is stopped, milliseconds.
constexpr int64_t look_ms = 100;
constexpr int64_t look_ns = look_ms * 1'000'000;
// A reader of which nothing is heard for three of these is made anew; nanoseconds.
constexpr int64_t heartbeat_ns = 2'000'000'000;
constexpr int64_t silence_ns = 3 * heartbeat_ns;
// A message that was not acknowledged comes again when the run begins anew, not while it works; nanoseconds.
constexpr int64_t ack_wait_ns = 24LL * 3600 * 1'000'000'000;
// Messages are acknowledged behind a checkpoint, which may be far off, and not up to the last one: there is
// no bound but that of flow control. The library leaves out what is negative, and the server takes 1000 where
// nobody says.
constexpr int64_t unacknowledged_max = 1'000'000'000;
// The server keeps to its own bound, by flow control.
constexpr int waiting_bytes_max = 256 * 1024 * 1024;

// "$JS.ACK.ORDERS.reader.1.1200.7.…": where a message stands.
struct Standing {
  uint64_t in_stream = 0;
  uint64_t of_reader = 0;  // how many the server has given it
};
std::optional<Standing> standing_of(std::string_view reply) {
  std::vector<std::string_view> words;
  while (words.size() < 12) {
    size_t end = reply.find('.');
    words.push_back(reply.substr(0, end));
    if (end == std::string_view::npos) break;
    reply.remove_prefix(end + 1);
  }
  if (words.size() < 9 || words[0] != "$JS" || words[1] != "ACK") return std::nullopt;
  size_t at = words.size() == 9 ? 5 : 7;  // of a server with a domain
  auto number = [&](std::string_view word, uint64_t& to) {
    auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), to);
    return wrong == std::errc() && end == word.data() + word.size();
  };
  Standing out;
  if (!number(words[at], out.in_stream) || !number(words[at + 1], out.of_reader)) return std::nullopt;
  return out;
}

// What the server keeps for the reader is either nothing (it says where it begins, each time anew) or, of a
// durable one, how far it has acknowledged; messages behind that come again when another connection takes it
// over, before any other.
class JetStreamLine final : public BrokerLine {
 public:
  JetStreamLine(env::Env& env, std::shared_ptr<const NatsLibrary> nats, NatsTarget target,
                std::shared_ptr<Notices> notices)
      : env_(env),
        nats_(std::move(nats)),
        target_(std::move(target)),
        dial_(env, nats_, target_),
        notices_(std::move(notices)) {}
  ~JetStreamLine() override { disconnect(); }

  Status connect() override {
    Status found = find_stream();
    if (found && !target_.durable.empty()) found = find_durable();
    if (found) return found;
    disconnect();
    return found.error().within(target());
  }

  Status begin() override {
    natsInbox* inbox = nullptr;
    natsSubscription* made = nullptr;
    natsStatus status = nats_->natsInbox_Create(&inbox);
    if (status == NATS_OK) {
      inbox_ = NatsInboxPtr(inbox, {nats_.get()});
      status = nats_->natsConnection_SubscribeSync(&made, connection_.get(), inbox);
    }
    if (status != NATS_OK) return nats_error(*nats_, status, "it cannot be read").within(target());
    subscription_ = NatsSubscriptionPtr(made, {nats_.get()});
    (void)nats_->natsSubscription_SetPendingLimits(made, -1, waiting_bytes_max);
    Status reads = make_reader();
    if (!reads) return reads.error().within(target());
    of_reader_ = 0;
    heard_ns_ = env_.monotonic_ns();
    std::string receipt;
    {
      std::lock_guard lock(mutex_);
      receipt = receipt_;
    }
    if (!receipt.empty()) acknowledge(receipt);
    return Unit{};
  }

  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    while (!stopped.load()) {
      if (!to.has_room()) {
        set.wait({}, look_ns);
        heard_ns_ = env_.monotonic_ns();  // what was said meanwhile waits
        continue;
      }
      natsMsg* got = nullptr;
      natsStatus status = nats_->natsSubscription_NextMsg(&got, subscription_.get(), look_ms);
      if (status == NATS_TIMEOUT) {
        if (nats_->natsConnection_IsClosed(connection_.get()))
          return nats_lost(*nats_, *connection_).within(target());
        if (env_.monotonic_ns() - heard_ns_ > silence_ns)
          return Error{"nothing is heard of the stream"}.within(target());
        continue;
      }
      if (status == NATS_SLOW_CONSUMER) return Error{"messages were dropped on the way"}.within(target());
      if (status != NATS_OK) return nats_lost(*nats_, *connection_).within(target());
      NatsMessagePtr message(got, {nats_.get()});
      heard_ns_ = env_.monotonic_ns();
      Status fine = take(*message, to);
      if (!fine) return fine.error().within(target());
    }
    return Unit{};
  }

  void disconnect() noexcept override {
    std::lock_guard lock(mutex_);
    if (connection_ && !receipt_.empty() && !nats_->natsConnection_IsClosed(connection_.get()))
      (void)nats_->natsConnection_FlushTimeout(connection_.get(), 1000);
    close_nats(*nats_, connection_);
    subscription_ = nullptr;
    inbox_ = nullptr;
    jetstream_ = nullptr;
    connection_ = nullptr;
  }

  std::string target() const override { return target_.text(); }
  std::string name_from(uint64_t place) const override {
    return "nats " + target_.stream + " from " + std::to_string(place);
  }

  bool replays() const override { return true; }
  uint64_t first_place() const override { return next_; }
  Status go_to(uint64_t place) override {
    std::string stream = "stream `" + target_.stream + "`";
    if (place > last_ + 1) {
      return Error{stream + " ends at " + std::to_string(last_) + ": it is not the one that was read up to " +
                   std::to_string(place)};
    }
    if (place < first_) {
      notices_->say(target() + ": messages " + std::to_string(place) + " to " + std::to_string(first_ - 1) +
                    " are gone from the stream, and are left out");
    }
    next_ = std::max(place, uint64_t{1});
    begins_anew_ = true;
    return Unit{};
  }

  void acknowledge(const std::string& receipt) override {
    std::lock_guard lock(mutex_);
    receipt_ = receipt;
    if (connection_) (void)nats_->natsConnection_Publish(connection_.get(), receipt.c_str(), nullptr, 0);
  }

 private:
  Status find_stream() {
    auto connected = dial_.connect();
    if (!connected) return connected.error();
    {
      std::lock_guard lock(mutex_);
      connection_ = std::move(connected).value();
    }
    auto jetstream = open_jetstream(*nats_, *connection_);
    if (!jetstream) return jetstream.error();
    jetstream_ = std::move(jetstream).value();
    auto info = stream_info(*nats_, *jetstream_, target_.stream);
    if (!info) return info.error();
    first_ = info.value()->State.FirstSeq;
    last_ = info.value()->State.LastSeq;
    if (next_ == 0) next_ = target_.start == NatsTarget::Start::New ? last_ + 1 : 1;
    return Unit{};
  }

  Result<ConsumerInfoPtr> durable_info() {
    jsConsumerInfo* found = nullptr;
    jsErrCode code = {};
    natsStatus status = nats_->js_GetConsumerInfo(&found, jetstream_.get(), target_.stream.c_str(),
                                                  target_.durable.c_str(), nullptr, &code);
    if (status == NATS_OK) return ConsumerInfoPtr(found, {nats_.get()});
    if (status == NATS_NOT_FOUND || code == JSConsumerNotFoundErr) return ConsumerInfoPtr();
    return nats_error(*nats_, status, "durable `" + target_.durable + "`", code);
  }

  Status find_durable() {
    auto info = durable_info();
    if (!info) return info.error();
    if (!info.value()) return Unit{};
    const jsConsumerInfo& found = *info.value();
    std::string durable = "durable `" + target_.durable + "`";
    if (found.Config->DeliverSubject == nullptr || found.Config->AckPolicy != js_AckAll)
      return Error{durable + " was made by another program, for another way of reading"};
    std::string filter = found.Config->FilterSubject != nullptr ? found.Config->FilterSubject : "";
    if (filter != target_.subject) return Error{durable + " reads the subject `" + filter + "`"};
    if (found.PushBound) return Error{durable + " is read by another program now"};
    next_ = std::max(next_, found.AckFloor.Stream + 1);
    return Unit{};
  }

  Status make_reader() {
    ConsumerInfoPtr known;
    if (!target_.durable.empty()) {
      auto info = durable_info();
      if (!info) return info.error();
      known = std::move(info).value();
    }
    if (known && begins_anew_) {
      // The checkpoint knows better how far was read than what was acknowledged, and than what is on its way
      // again.
      jsErrCode wrong = {};
      natsStatus gone = nats_->js_DeleteConsumer(jetstream_.get(), target_.stream.c_str(),
                                                 target_.durable.c_str(), nullptr, &wrong);
      if (gone != NATS_OK) return nats_error(*nats_, gone, "durable `" + target_.durable + "`", wrong);
      known = nullptr;
    }
    jsConsumerConfig fresh;
    (void)nats_->jsConsumerConfig_Init(&fresh);
    fresh.DeliverPolicy = js_DeliverByStartSequence;
    fresh.OptStartSeq = next_;
    fresh.FlowControl = true;
    fresh.Heartbeat = heartbeat_ns;
    if (!target_.subject.empty()) fresh.FilterSubject = target_.subject.c_str();
    if (target_.durable.empty()) {
      fresh.AckPolicy = js_AckNone;
      fresh.MemoryStorage = true;
    } else {
      fresh.Durable = target_.durable.c_str();
      fresh.AckPolicy = js_AckAll;
      fresh.AckWait = ack_wait_ns;
    }
    jsConsumerConfig& config = known ? *known->Config : fresh;
    // Also of one that is there already.
    if (!target_.durable.empty()) config.MaxAckPending = unacknowledged_max;
    const char* was = std::exchange(config.DeliverSubject, inbox_.get());
    jsConsumerInfo* made = nullptr;
    jsErrCode code = {};
    natsStatus status =
        nats_->js_AddConsumer(&made, jetstream_.get(), target_.stream.c_str(), &config, nullptr, &code);
    config.DeliverSubject = was;  // the library frees it
    if (status != NATS_OK) return nats_error(*nats_, status, "it cannot be read", code);
    (void)ConsumerInfoPtr(made, {nats_.get()});
    begins_anew_ = false;
    return Unit{};
  }

  // Of a message, or of what the server says about the reader.
  Status take(natsMsg& message, MessageQueue& to) {
    const char* reply = nats_->natsMsg_GetReply(&message);
    const char* status = nullptr;
    auto standing = standing_of(reply != nullptr ? reply : "");
    // What has a standing is a message, whatever its headers say.
    if (!standing && nats_->natsMsgHeader_Get(&message, "Status", &status) == NATS_OK && status != nullptr) {
      const char* stalled = nullptr;
      if (std::string_view(status) != "100") return Error{std::string("the server says ") + status};
      (void)nats_->natsMsgHeader_Get(&message, "Nats-Consumer-Stalled", &stalled);
      // Everything before it has been taken.
      for (const char* answer : {reply, stalled}) {
        if (answer != nullptr && *answer != '\0')
          (void)nats_->natsConnection_Publish(connection_.get(), answer, nullptr, 0);
      }
      return Unit{};
    }
    if (!standing) return Unit{};  // sent to the inbox by somebody else
    if (of_reader_ != 0 && standing->of_reader != of_reader_ + 1)
      return Error{"messages were lost on the way"};
    of_reader_ = standing->of_reader;
    if (standing->in_stream < next_) return Unit{};  // it was given before
    next_ = standing->in_stream + 1;
    to.put({text_of(*nats_, message, target_.record), standing->in_stream,
            target_.durable.empty() ? "" : reply});
    return Unit{};
  }

  env::Env& env_;
  std::shared_ptr<const NatsLibrary> nats_;
  NatsTarget target_;
  NatsDial dial_;
  std::shared_ptr<Notices> notices_;
  std::mutex mutex_;  // guards who makes and ends the connection, against acknowledge()
  NatsConnectionPtr connection_;
  std::string receipt_;  // the last
  JetStreamPtr jetstream_;
  NatsInboxPtr inbox_;
  NatsSubscriptionPtr subscription_;
  uint64_t first_ = 0, last_ = 0;  // of the stream, when it was connected to
  uint64_t next_ = 0;              // of the stream: not given yet
  uint64_t of_reader_ = 0;         // the last; 0: none on this connection
  int64_t heard_ns_ = 0;
  bool begins_anew_ = false;  // where a run before has left it: the reader is made anew
};

}  // namespace

std::unique_ptr<BrokerLine> make_jetstream_line(env::Env& env, std::shared_ptr<const NatsLibrary> nats,
                                                const NatsTarget& target, std::shared_ptr<Notices> notices) {
  return std::make_unique<JetStreamLine>(env, std::move(nats), target, std::move(notices));
}

}  // namespace mut::connector
