#include <utility>

#include "runtime/connector/message/envelope.h"
#include "runtime/connector/mqtt/mqtt_client.h"

namespace mut::connector {
namespace {

// Between two looks at what has to be done when nothing comes.
constexpr int64_t look_ns = 1'000'000'000;

class MqttLine final : public BrokerLine {
 public:
  MqttLine(env::Env& env, std::shared_ptr<const MqttLibrary> library, MqttTarget target)
      : target_(std::move(target)),
        client_(
            env, std::move(library), target_, target_.client,
            {[this](std::string_view topic, std::string_view payload) { take(topic, payload); }, nullptr}) {}

  Status connect() override {
    Status connected = client_.connect();
    // A session has its subscriptions, but may be that of another script.
    if (connected && !(subscribed_ && client_.went_on())) connected = client_.subscribe();
    if (!connected) {
      client_.disconnect();
      return connected.error().within(target());
    }
    subscribed_ = true;
    return Unit{};
  }

  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    for (std::string& early : std::exchange(early_, {})) to.put({std::move(early), ++received_});
    to_ = &to;
    Status going = Unit{};
    while (going && !stopped.load()) {
      bool room = to.has_room();
      going = client_.wait(set, look_ns, room ? MqttClient::Incoming::Taken : MqttClient::Incoming::Left);
    }
    to_ = nullptr;
    if (stopped.load()) client_.disconnect();
    return going ? going : Status(going.error().within(target()));
  }

  void disconnect() noexcept override { client_.disconnect(); }

  std::string target() const override { return target_.text(); }
  std::string name_from(uint64_t place) const override {
    return "mqtt " + target_.topic + " from " + std::to_string(place);
  }

 private:
  void take(std::string_view topic, std::string_view payload) {
    std::string text = target_.record == MqttTarget::Record::Envelope ? in_envelope("topic", topic, payload)
                                                                      : std::string(payload);
    if (to_ == nullptr) {
      early_.push_back(std::move(text));
    } else {
      to_->put({std::move(text), ++received_});
    }
  }

  MqttTarget target_;
  MessageQueue* to_ = nullptr;      // while it is served
  std::vector<std::string> early_;  // came before
  uint64_t received_ = 0;
  bool subscribed_ = false;
  MqttClient client_;
};

}  // namespace

std::string MqttTarget::text() const {
  std::string out = "mqtt " + broker.text() + " " + topic + " qos " + std::to_string(qos);
  if (!client.empty()) out += " client " + client;
  if (retain == Retain::Yes) out += " retained";
  if (version == Version::Three) out += " version 3";
  if (!user.empty()) out += " user " + user;
  if (password) out += " with " + password->text();
  return out + tls.text();
}

Result<std::unique_ptr<BrokerLine>> make_mqtt_line(env::Env& env, const MqttTarget& target) {
  auto library = load_mqtt(env);
  if (!library) return library.error();
  return std::unique_ptr<BrokerLine>(std::make_unique<MqttLine>(env, library.value(), target));
}

}  // namespace mut::connector
