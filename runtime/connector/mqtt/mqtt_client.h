// A client of a broker, driven by whoever waits for something: it has no thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/mqtt/mqtt.h"
#include "runtime/connector/mqtt/mqtt_library.h"

namespace mut::connector {

// Threads: one at a time.
class MqttClient {
 public:
  struct Handlers {
    std::function<void(std::string_view topic, std::string_view payload)> message;
    // A message that was published has arrived as its quality wants; a reason from 128 on: it was refused.
    std::function<void(int reason)> published;
  };
  // `session`: what the broker knows it by, and keeps messages for; empty: it keeps nothing.
  MqttClient(env::Env& env, std::shared_ptr<const MqttLibrary> library, const MqttTarget& target,
             std::string session, Handlers handlers);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  // Until the broker has let it in, or says why not. Unfinished messages of the connection before go on.
  Status connect();
  // Whether the broker had kept the session.
  bool went_on() const { return went_on_; }
  Status subscribe();
  Status publish(std::string_view payload);
  // Waits for something to come or go, or for `set` to be rung, and does it. What comes is left where it is
  // while it is not taken.
  enum class Incoming : uint8_t { Taken, Left };
  Status wait(env::SocketSet& set, int64_t timeout_ns, Incoming incoming);
  void disconnect() noexcept;

 private:
  Status introduce();
  Status encrypt();
  Status await(const std::optional<int>& answer, const std::string& what);
  std::string reason_text(int reason) const;
  Error not_let_in(const Error& why) const;
  void note_said(std::string_view text);
  // Of a call that failed, with what the library says of encryption.
  Error lost(const std::string& what, int status) const;

  env::Env& env_;
  std::shared_ptr<const MqttLibrary> library_;
  MqttTarget target_;
  std::string session_;
  Handlers handlers_;
  std::unique_ptr<env::SocketSet> set_;
  std::unique_ptr<mosquitto, decltype(&::mosquitto_destroy)> client_;
  bool went_on_ = false;
  uint64_t came_ = 0;                // messages
  std::optional<int> let_in_;        // what the broker answered
  std::optional<int> subscription_;  // the same
  std::string said_;                 // by the library, of the last failure of encryption
};

}  // namespace mut::connector
