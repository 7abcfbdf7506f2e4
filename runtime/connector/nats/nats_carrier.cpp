#include <cstring>
#include <optional>
#include <utility>

#include "runtime/connector/nats/nats_connection.h"
#include "runtime/connector/nats/nats_dial.h"

namespace mut::connector {
namespace {

using Kind = Trouble::Kind;

constexpr int64_t wait_ms = carrier_wait_ns / 1'000'000;
// Between two looks at whether the connection still is, milliseconds.
constexpr int64_t look_ms = 100;

Kind kind_of(natsStatus status) {
  return status == NATS_MAX_PAYLOAD || status == NATS_NOT_PERMITTED ? Kind::ForGood : Kind::Passes;
}

class NatsCarrier final : public Carrier {
 public:
  NatsCarrier(env::Env& env, std::shared_ptr<const NatsLibrary> nats, NatsTarget target)
      : env_(env),
        nats_(std::move(nats)),
        target_(std::move(target)),
        dial_(env, nats_, target_),
        ids_(std::to_string(env.random_seed()) + "-") {}

  ~NatsCarrier() override { disconnect(); }

  std::optional<Trouble> connect() override {
    auto connected = dial_.connect();
    if (!connected) return Trouble{connected.error()};
    connection_ = std::move(connected).value();
    auto trouble = target_.stream.empty() ? std::nullopt : find_stream();
    if (trouble) disconnect();
    return trouble;
  }

  void disconnect() noexcept override {
    close_nats(*nats_, connection_);
    answers_ = nullptr;
    inbox_ = nullptr;
    connection_ = nullptr;
  }

  std::optional<Trouble> deliver(const Delivery& delivery) override {
    std::string_view rows = delivery.rows;
    uint64_t row = 0;
    for (; !rows.empty(); ++row) {
      size_t end = rows.find('\n');
      std::string_view text = rows.substr(0, end);
      rows.remove_prefix(end == std::string_view::npos ? rows.size() : end + 1);
      natsStatus status = publish(text, row);
      if (status != NATS_OK) return trouble_of(status, text.size());
    }
    auto trouble = target_.stream.empty() ? confirm() : await_answers(row);
    if (!trouble) ++deliveries_;
    return trouble;
  }

  std::string target() const override { return target_.text(); }

 private:
  std::optional<Trouble> find_stream() {
    auto jetstream = open_jetstream(*nats_, *connection_);
    if (!jetstream) return Trouble{jetstream.error()};
    auto info = stream_info(*nats_, *jetstream.value(), target_.stream);
    if (!info) return Trouble{info.error()};
    const jsStreamConfig& config = *info.value()->Config;
    bool takes = false;
    for (int i = 0; i < config.SubjectsLen; ++i)
      takes = takes || subject_covers(config.Subjects[i], target_.subject);
    if (!takes)
      return Trouble{{"stream `" + target_.stream + "` does not keep the subject `" + target_.subject + "`"},
                     Kind::ForGood};
    natsInbox* inbox = nullptr;
    natsSubscription* made = nullptr;
    natsStatus status = nats_->natsInbox_Create(&inbox);
    if (status == NATS_OK) {
      inbox_ = NatsInboxPtr(inbox, {nats_.get()});
      status = nats_->natsConnection_SubscribeSync(&made, connection_.get(), inbox);
    }
    if (status != NATS_OK) return Trouble{nats_error(*nats_, status, "it cannot be sent to")};
    answers_ = NatsSubscriptionPtr(made, {nats_.get()});
    (void)nats_->natsSubscription_SetPendingLimits(made, -1, -1);  // one a row of a delivery
    return std::nullopt;
  }

  natsStatus publish(std::string_view text, uint64_t row) {
    auto bytes = static_cast<int>(text.size());
    if (target_.stream.empty())
      return nats_->natsConnection_Publish(connection_.get(), target_.subject.c_str(), text.data(), bytes);
    natsMsg* made = nullptr;
    natsStatus status =
        nats_->natsMsg_Create(&made, target_.subject.c_str(), inbox_.get(), text.data(), bytes);
    if (status != NATS_OK) return status;
    NatsMessagePtr message(made, {nats_.get()});
    // The same when the delivery comes again: the server then takes it once.
    std::string id = ids_ + std::to_string(deliveries_) + "-" + std::to_string(row);
    status = nats_->natsMsgHeader_Set(made, "Nats-Msg-Id", id.c_str());
    if (status == NATS_OK)
      status = nats_->natsMsgHeader_Set(made, "Nats-Expected-Stream", target_.stream.c_str());
    return status == NATS_OK ? nats_->natsConnection_PublishMsg(connection_.get(), made) : status;
  }

  // The server has read everything, and said what it does not take.
  std::optional<Trouble> confirm() {
    natsStatus status = nats_->natsConnection_FlushTimeout(connection_.get(), wait_ms);
    const char* refused = nullptr;
    if (status != NATS_OK) return trouble_of(status, 0);
    status = nats_->natsConnection_GetLastError(connection_.get(), &refused);
    if (status == NATS_OK) return std::nullopt;
    std::string why = refused != nullptr && *refused != '\0' ? refused : nats_->natsStatus_GetText(status);
    return Trouble{{why}, kind_of(status)};
  }

  // One a row: that the stream keeps it, or why not.
  std::optional<Trouble> await_answers(uint64_t rows) {
    std::optional<Trouble> refused;
    int64_t heard_ns = env_.monotonic_ns();
    while (rows > 0) {
      natsMsg* got = nullptr;
      natsStatus status = nats_->natsSubscription_NextMsg(&got, answers_.get(), look_ms);
      if (status == NATS_TIMEOUT && env_.monotonic_ns() - heard_ns < carrier_wait_ns &&
          !nats_->natsConnection_IsClosed(connection_.get()))
        continue;
      if (status != NATS_OK) return trouble_of(status, 0);
      NatsMessagePtr answer(got, {nats_.get()});
      heard_ns = env_.monotonic_ns();
      --rows;
      if (!refused) refused = refusal_in(*answer);
    }
    return refused;
  }

  std::optional<Trouble> refusal_in(natsMsg& answer) {
    const char* status = nullptr;
    if (nats_->natsMsgHeader_Get(&answer, "Status", &status) == NATS_OK && status != nullptr)
      return Trouble{{"no stream takes the subject `" + target_.subject + "` now"}};
    std::string_view text(nats_->natsMsg_GetData(&answer),
                          static_cast<size_t>(nats_->natsMsg_GetDataLength(&answer)));
    // {"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},…
    if (text.find("\"error\":") == std::string_view::npos) return std::nullopt;
    auto has = [&](int code) {
      return text.find("\"err_code\":" + std::to_string(code) + ",") != std::string_view::npos;
    };
    bool for_good = has(JSStreamNotMatchErr) || has(JSStreamMessageExceedsMaximumErr);
    size_t begin = text.find("\"description\":\"");
    std::string why(text);
    if (begin != std::string_view::npos) {
      begin += strlen("\"description\":\"");
      why = text.substr(begin, text.find('"', begin) - begin);
    }
    return Trouble{{"the stream refuses a row: " + why}, for_good ? Kind::ForGood : Kind::Passes};
  }

  Trouble trouble_of(natsStatus status, size_t bytes) {
    if (status == NATS_MAX_PAYLOAD) {
      return {{"a row of " + std::to_string(bytes) + " bytes is more than the server takes in a message (" +
               std::to_string(nats_->natsConnection_GetMaxPayload(connection_.get())) + ")"},
              Kind::ForGood};
    }
    if (status == NATS_TIMEOUT) return {{"no answer within " + std::to_string(wait_ms / 1000) + " s"}};
    if (nats_->natsConnection_IsClosed(connection_.get())) return {nats_lost(*nats_, *connection_)};
    return {nats_error(*nats_, status, "it cannot be sent to"), kind_of(status)};
  }

  env::Env& env_;
  std::shared_ptr<const NatsLibrary> nats_;
  NatsTarget target_;
  NatsDial dial_;
  std::string ids_;  // begins those of its messages
  uint64_t deliveries_ = 0;
  NatsConnectionPtr connection_;
  NatsInboxPtr inbox_;           // where a stream says what it has taken
  NatsSubscriptionPtr answers_;  // that come there
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_nats_carrier(env::Env& env, const NatsTarget& target) {
  auto library = load_nats(env);
  if (!library) return library.error();
  return std::unique_ptr<Carrier>(std::make_unique<NatsCarrier>(env, library.value(), target));
}

}  // namespace mut::connector
