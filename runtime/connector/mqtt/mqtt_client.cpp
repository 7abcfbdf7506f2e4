#include "runtime/connector/mqtt/mqtt_client.h"

#include <array>
#include <atomic>
#include <utility>

#include "runtime/connector/tls_trouble.h"

namespace mut::connector {
namespace {

// Seconds.
constexpr int keep_alive_s = 30;
constexpr uint32_t session_s = 24 * 3600;
// Messages on their way in one direction that are not confirmed.
constexpr int in_flight_max = 1000;
// Of quality 2: brokers close the connection of whoever has more, and only those of MQTT 5 say how many.
constexpr int twice_in_flight_max = 20;
// Packets that are read before anything else is looked at.
constexpr int packets_max = 256;
// SSL_VERIFY_NONE and SSL_VERIFY_PEER.
constexpr int verify_nobody = 0;
constexpr int verify_peer = 1;

struct Descriptor final : env::Waited {
  explicit Descriptor(int of) : descriptor(of) {}
  int number() const override { return descriptor; }
  int descriptor;
};

}  // namespace

MqttClient::MqttClient(env::Env& env, std::shared_ptr<const MqttLibrary> library, const MqttTarget& target,
                       std::string session, Handlers handlers)
    : env_(env),
      library_(std::move(library)),
      target_(target),
      session_(std::move(session)),
      handlers_(std::move(handlers)),
      set_(env.make_socket_set()),
      client_(library_->mosquitto_new(session_.empty() ? nullptr : session_.c_str(), session_.empty(), this),
              library_->mosquitto_destroy) {
  if (!client_) return;
  const MqttLibrary& mqtt = *library_;
  mosquitto* client = client_.get();
  bool five = target_.version == MqttTarget::Version::Five;
  (void)mqtt.mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION,
                                  five ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  (void)mqtt.mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  (void)mqtt.mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, in_flight_max);
  (void)mqtt.mosquitto_max_inflight_messages_set(client,
                                                 target_.qos == 2 ? twice_in_flight_max : in_flight_max);
  mqtt.mosquitto_log_callback_set(client, [](mosquitto*, void* self, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) static_cast<MqttClient*>(self)->note_said(text);
  });
  mqtt.mosquitto_connect_v5_callback_set(
      client, [](mosquitto*, void* self, int reason, int flags, const mosquitto_property*) {
        auto& mine = *static_cast<MqttClient*>(self);
        mine.let_in_ = reason;
        mine.went_on_ = reason == 0 && (flags & 1) != 0;
      });
  mqtt.mosquitto_subscribe_v5_callback_set(
      client, [](mosquitto*, void* self, int, int count, const int* granted, const mosquitto_property*) {
        static_cast<MqttClient*>(self)->subscription_ = count > 0 ? granted[0] : 128;
      });
  mqtt.mosquitto_publish_v5_callback_set(
      client, [](mosquitto*, void* self, int, int reason, const mosquitto_property*) {
        auto& mine = *static_cast<MqttClient*>(self);
        if (mine.handlers_.published) mine.handlers_.published(reason);
      });
  mqtt.mosquitto_message_v5_callback_set(
      client, [](mosquitto*, void* self, const mosquitto_message* message, const mosquitto_property*) {
        auto& mine = *static_cast<MqttClient*>(self);
        ++mine.came_;
        if (!mine.handlers_.message) return;
        auto bytes = static_cast<size_t>(message->payloadlen);
        mine.handlers_.message(message->topic, {static_cast<const char*>(message->payload), bytes});
      });
}

MqttClient::~MqttClient() { disconnect(); }

Status MqttClient::connect() {
  if (!client_) return Error{"libmosquitto makes no client of that name"};
  // The library waits for a machine that does not answer as long as the system does.
  std::atomic<bool> given_up{false};
  auto there = env_.connect_tcp(target_.broker, line_wait_ns, given_up);
  if (!there) return there.error();
  there.value() = nullptr;
  if (Status known = introduce(); !known) return known;
  if (Status encrypted = encrypt(); !encrypted) return encrypted;
  mosquitto_property* properties = nullptr;
  if (target_.version == MqttTarget::Version::Five && !session_.empty())
    (void)library_->mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, session_s);
  let_in_.reset();
  said_.clear();
  int status = library_->mosquitto_connect_bind_v5(client_.get(), target_.broker.host.c_str(),
                                                   target_.broker.port, keep_alive_s, nullptr, properties);
  library_->mosquitto_property_free_all(&properties);
  if (status != MOSQ_ERR_SUCCESS) return not_let_in(lost("it cannot be connected to", status));
  Status answered = await(let_in_, "it does not answer as a broker does");
  // One that lets nobody in says so and closes.
  if (!let_in_) return not_let_in(answered.error());
  if (*let_in_ == 0) return Unit{};
  bool five = target_.version == MqttTarget::Version::Five;
  int reason = *let_in_;
  bool unknown =
      five ? reason == MQTT_RC_BAD_USERNAME_OR_PASSWORD || reason == MQTT_RC_NOT_AUTHORIZED
           : reason == CONNACK_REFUSED_BAD_USERNAME_PASSWORD || reason == CONNACK_REFUSED_NOT_AUTHORIZED;
  if (unknown) return Error{"the broker lets nobody in without the right user and password"};
  return Error{std::string("the broker refuses: ") + (five ? library_->mosquitto_reason_string(reason)
                                                           : library_->mosquitto_connack_string(reason))};
}

// The password is read each time: it may have been changed.
Status MqttClient::introduce() {
  if (target_.user.empty()) return Unit{};
  std::string password;
  if (target_.password) {
    auto text = target_.password->read(env_);
    if (!text) return text.error();
    password = std::move(text).value();
  }
  int status = library_->mosquitto_username_pw_set(client_.get(), target_.user.c_str(),
                                                   target_.password ? password.c_str() : nullptr);
  return status == MOSQ_ERR_SUCCESS ? Status(Unit{}) : Status(Error{library_->mosquitto_strerror(status)});
}

// What may be the matter with a broker that ends the connection before it says anything.
Error MqttClient::not_let_in(const Error& why) const {
  const Tls& tls = target_.tls;
  if (tls.check == Tls::Check::Off)
    return {why.message + "; if it wants an encrypted connection: `tls: verify`"};
  if (!said_.empty() && said_.find("unexpected eof") == std::string::npos) return why;
  std::string about_us = tls.certificate.empty()
                             ? "it wants to see a certificate: give `cert` and `cert_key`"
                             : "it does not take the certificate `" + tls.certificate + "`";
  return {why.message + "; either what is there speaks no TLS: another port, or `tls: off`; or " + about_us};
}

// Files are read each time, too.
Status MqttClient::encrypt() {
  const Tls& tls = target_.tls;
  if (tls.check == Tls::Check::Off) return Unit{};
  if (Status there = check_tls_files(env_, tls); !there) return there;
  bool verify = tls.check == Tls::Check::Verify;
  auto name = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  // The library wants to be told of somebody who is trusted, also where nobody is asked.
  const char* folder = verify ? nullptr : "/etc/ssl/certs";
  mosquitto* client = client_.get();
  int status = library_->mosquitto_tls_set(client, name(tls.authorities), folder, name(tls.certificate),
                                           name(tls.certificate_key), nullptr);
  if (status == MOSQ_ERR_SUCCESS)
    status = library_->mosquitto_tls_opts_set(client, verify ? verify_peer : verify_nobody, nullptr, nullptr);
  if (status == MOSQ_ERR_SUCCESS) status = library_->mosquitto_tls_insecure_set(client, !verify);
  return status == MOSQ_ERR_SUCCESS ? Status(Unit{}) : Status(lost("it cannot be encrypted", status));
}

Status MqttClient::subscribe() {
  subscription_.reset();
  int status = library_->mosquitto_subscribe_v5(client_.get(), nullptr, target_.topic.c_str(), target_.qos, 0,
                                                nullptr);
  if (status != MOSQ_ERR_SUCCESS) return Error{library_->mosquitto_strerror(status)};
  Status answered = await(subscription_, "the broker does not answer");
  if (!answered) return answered;
  if (*subscription_ >= 128)
    return Error{"the broker refuses the topic `" + target_.topic + "`: " + reason_text(*subscription_)};
  return Unit{};
}

Status MqttClient::publish(std::string_view payload) {
  int status = library_->mosquitto_publish_v5(client_.get(), nullptr, target_.topic.c_str(),
                                              static_cast<int>(payload.size()), payload.data(), target_.qos,
                                              target_.retain == MqttTarget::Retain::Yes, nullptr);
  if (status == MOSQ_ERR_OVERSIZE_PACKET || status == MOSQ_ERR_PAYLOAD_SIZE) {
    return Error{"a row of " + std::to_string(payload.size()) + " bytes is more than the broker takes"};
  }
  return status == MOSQ_ERR_SUCCESS ? Status(Unit{}) : Status(Error{library_->mosquitto_strerror(status)});
}

Status MqttClient::wait(env::SocketSet& set, int64_t timeout_ns, Incoming incoming) {
  using Interest = env::Socket::Interest;
  const MqttLibrary& mqtt = *library_;
  mosquitto* client = client_.get();
  Descriptor descriptor(mqtt.mosquitto_socket(client));
  if (descriptor.descriptor < 0) return Error{"the connection is lost"};
  bool reads = incoming == Incoming::Taken;
  bool writes = mqtt.mosquitto_want_write(client);
  Interest interest = reads && writes ? Interest::ReadOrWrite
                      : reads         ? Interest::Read
                      : writes        ? Interest::Write
                                      : Interest::None;
  std::array<env::SocketSet::Entry, 1> entries{{{&descriptor, interest}}};
  set.wait(entries, timeout_ns);
  int status = MOSQ_ERR_SUCCESS;
  uint64_t before = came_ - 1;
  for (int i = 0; reads && entries[0].ready && status == MOSQ_ERR_SUCCESS && i < packets_max; ++i) {
    if (std::exchange(before, came_) == came_) break;
    status = mqtt.mosquitto_loop_read(client, 1);
  }
  if (status == MOSQ_ERR_SUCCESS && mqtt.mosquitto_want_write(client))
    status = mqtt.mosquitto_loop_write(client, 1);
  if (status == MOSQ_ERR_SUCCESS) status = mqtt.mosquitto_loop_misc(client);
  if (status == MOSQ_ERR_SUCCESS) return Unit{};
  return lost("the connection is lost", status);
}

Error MqttClient::lost(const std::string& what, int status) const {
  // Of one that ends it in the middle of something the library gives the system's "protocol error".
  bool ended = target_.tls.check != Tls::Check::Off && status == MOSQ_ERR_ERRNO;
  std::string why = !said_.empty() ? said_
                    : ended        ? "the other side has ended it"
                                   : library_->mosquitto_strerror(status);
  return {with_tls_fix(what + ": " + why, target_.tls)};
}

// One line behind the other.
void MqttClient::note_said(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  constexpr size_t said_bytes_max = 500;
  if (said_.size() > said_bytes_max) return;
  if (!said_.empty()) said_ += ", ";
  said_ += text;
}

void MqttClient::disconnect() noexcept {
  if (client_ && library_->mosquitto_socket(client_.get()) >= 0)
    (void)library_->mosquitto_disconnect(client_.get());
}

Status MqttClient::await(const std::optional<int>& answer, const std::string& what) {
  int64_t until_ns = env_.monotonic_ns() + line_wait_ns;
  while (!answer) {
    int64_t left_ns = until_ns - env_.monotonic_ns();
    if (left_ns <= 0) return Error{what};
    Status went = wait(*set_, left_ns, Incoming::Taken);
    if (!went && !answer) return went.error();
  }
  return Unit{};
}

std::string MqttClient::reason_text(int reason) const {
  return target_.version == MqttTarget::Version::Five ? library_->mosquitto_reason_string(reason)
                                                      : "no right to it";
}

}  // namespace mut::connector
