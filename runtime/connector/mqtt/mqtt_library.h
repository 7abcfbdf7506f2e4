// libmosquitto, loaded when a script names it.
#pragma once
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

// What is called of it.
#define MUT_MQTT_FUNCTIONS(each)                                                                            \
  each(mosquitto_lib_init) each(mosquitto_new) each(mosquitto_destroy) each(mosquitto_int_option)           \
      each(mosquitto_connect_bind_v5) each(mosquitto_disconnect) each(mosquitto_publish_v5)                 \
          each(mosquitto_subscribe_v5) each(mosquitto_socket) each(mosquitto_loop_read)                     \
              each(mosquitto_loop_write) each(mosquitto_loop_misc) each(mosquitto_want_write)               \
                  each(mosquitto_strerror) each(mosquitto_connack_string) each(mosquitto_reason_string)     \
                      each(mosquitto_max_inflight_messages_set) each(mosquitto_connect_v5_callback_set)     \
                          each(mosquitto_subscribe_v5_callback_set) each(mosquitto_publish_v5_callback_set) \
                              each(mosquitto_message_v5_callback_set) each(mosquitto_property_add_int32)    \
                                  each(mosquitto_property_free_all)

struct MqttLibrary {
#define MUT_MQTT_MEMBER(function) decltype(&::function) function = nullptr;
  MUT_MQTT_FUNCTIONS(MUT_MQTT_MEMBER)
#undef MUT_MQTT_MEMBER
};

// Fails where it is not installed.
Result<std::shared_ptr<const MqttLibrary>> load_mqtt(env::Env& env);

}  // namespace mut::connector
