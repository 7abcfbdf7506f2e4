// libmosquitto, loaded when a script names it.
#pragma once
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

// What is called of it.
struct MqttLibrary {
#define MUT_MQTT_FUNCTION(name) decltype(&::name) name = nullptr;
#include "runtime/connector/mqtt/functions.def"
#undef MUT_MQTT_FUNCTION
};

// Fails where it is not installed.
Result<std::shared_ptr<const MqttLibrary>> load_mqtt(env::Env& env);

}  // namespace mut::connector
