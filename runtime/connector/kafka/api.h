// The functions of librdkafka that are used, found when a script needs them.
#pragma once
#include <librdkafka/rdkafka.h>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct KafkaApi {
#define MUT_KAFKA_FUNCTION(name) decltype(&::rd_kafka_##name) name = nullptr;
#include "runtime/connector/kafka/functions.def"
#undef MUT_KAFKA_FUNCTION
  decltype(&::rd_kafka_new) new_ = nullptr;
};

// Loads the library. The functions stay valid until the process ends.
Result<KafkaApi> load_kafka(env::Env& env);

}  // namespace mut::connector
