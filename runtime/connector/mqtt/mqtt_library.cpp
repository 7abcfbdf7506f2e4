#include "runtime/connector/mqtt/mqtt_library.h"

namespace mut::connector {

Result<std::shared_ptr<const MqttLibrary>> load_mqtt(env::Env& env) {
  auto opened = env.open_library("libmosquitto.so.1");
  if (!opened) return Error{"libmosquitto.so.1 is not there: apt install libmosquitto1"};
  const env::Library& library = *opened.value();
  auto out = std::make_shared<MqttLibrary>();
  Status bound = Unit{};
#define MUT_MQTT_FUNCTION(name) \
  if (bound) bound = env::bind(library, #name, out->name);
#include "runtime/connector/mqtt/functions.def"
#undef MUT_MQTT_FUNCTION
  if (!bound) return bound.error();
  (void)out->mosquitto_lib_init();  // it counts; what is there once stays
  return std::shared_ptr<const MqttLibrary>(std::move(out));
}

}  // namespace mut::connector
