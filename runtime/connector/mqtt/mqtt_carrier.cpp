#include <optional>
#include <utility>

#include "runtime/connector/mqtt/mqtt_client.h"

namespace mut::connector {
namespace {

using Kind = Trouble::Kind;

class MqttCarrier final : public Carrier {
 public:
  MqttCarrier(env::Env& env, std::shared_ptr<const MqttLibrary> library, MqttTarget target)
      : env_(env), library_(std::move(library)), target_(std::move(target)), set_(env.make_socket_set()) {}

  std::optional<Trouble> connect() override {
    // Anew: what was on its way comes again with its delivery.
    client_ = std::make_unique<MqttClient>(
        env_, library_, target_, "",
        MqttClient::Handlers{nullptr, [this](int reason) { note_published(reason); }});
    Status connected = client_->connect();
    if (connected) return std::nullopt;
    client_ = nullptr;
    return Trouble{connected.error()};
  }

  void disconnect() noexcept override { client_ = nullptr; }

  std::optional<Trouble> deliver(const Delivery& delivery) override {
    // While there were no rows nobody drove the client: the broker may have gone.
    Status there = client_->wait(*set_, 0, MqttClient::Incoming::Taken);
    if (!there) return Trouble{there.error()};
    published_ = 0;
    refused_ = 0;
    uint64_t sent = 0;
    std::string_view rows = delivery.rows;
    while (!rows.empty()) {
      size_t end = rows.find('\n');
      std::string_view row = rows.substr(0, end);
      rows.remove_prefix(end == std::string_view::npos ? rows.size() : end + 1);
      Status went = client_->publish(row);
      if (!went) {
        bool too_large = went.error().message.starts_with("a row of");
        return Trouble{went.error(), too_large ? Kind::ForGood : Kind::Passes};
      }
      ++sent;
    }
    return await(sent);
  }

  std::string target() const override { return target_.text(); }

 private:
  // As many messages have arrived as their quality wants: 0, the system has taken it; else the broker has
  // answered.
  std::optional<Trouble> await(uint64_t sent) {
    uint64_t seen = published_;
    int64_t moved_ns = env_.monotonic_ns();
    while (published_ < sent) {
      int64_t left_ns = carrier_wait_ns - (env_.monotonic_ns() - moved_ns);
      if (left_ns <= 0)
        return Trouble{{"no answer within " + std::to_string(carrier_wait_ns / 1'000'000'000) + " s"}};
      Status went = client_->wait(*set_, left_ns, MqttClient::Incoming::Taken);
      if (!went) return Trouble{went.error()};
      if (std::exchange(seen, published_) != published_) moved_ns = env_.monotonic_ns();
    }
    if (refused_ == 0) return std::nullopt;
    bool for_good = refused_ == MQTT_RC_NOT_AUTHORIZED || refused_ == MQTT_RC_TOPIC_NAME_INVALID ||
                    refused_ == MQTT_RC_PAYLOAD_FORMAT_INVALID;
    return Trouble{{std::string("the broker refuses a row: ") + library_->mosquitto_reason_string(refused_)},
                   for_good ? Kind::ForGood : Kind::Passes};
  }

  void note_published(int reason) {
    ++published_;
    if (reason >= 128) refused_ = reason;
  }

  env::Env& env_;
  std::shared_ptr<const MqttLibrary> library_;
  MqttTarget target_;
  std::unique_ptr<env::SocketSet> set_;
  std::unique_ptr<MqttClient> client_;
  uint64_t published_ = 0;  // of the delivery
  int refused_ = 0;         // of one of these: why
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_mqtt_carrier(env::Env& env, const MqttTarget& target) {
  auto library = load_mqtt(env);
  if (!library) return library.error();
  return std::unique_ptr<Carrier>(std::make_unique<MqttCarrier>(env, library.value(), target));
}

}  // namespace mut::connector
