#include "runtime/connector/kafka/api.h"

namespace mut::connector {

Result<KafkaApi> load_kafka(env::Env& env) {
  auto library = env.open_library("librdkafka.so.1");
  if (!library) return Error{library.error().message + "; on Debian: apt install librdkafka1"};
  KafkaApi out;
  Status bound = Unit{};
#define MUT_KAFKA_FUNCTION(name) \
  if (bound) bound = env::bind(*library.value(), "rd_kafka_" #name, out.name);
#include "runtime/connector/kafka/functions.def"
#undef MUT_KAFKA_FUNCTION
  if (bound) bound = env::bind(*library.value(), "rd_kafka_new", out.new_);
  if (!bound) return bound.error();
  return out;
}

}  // namespace mut::connector
