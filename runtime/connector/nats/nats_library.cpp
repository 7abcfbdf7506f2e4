#include "runtime/connector/nats/nats_library.h"

namespace mut::connector {

Result<std::shared_ptr<const NatsLibrary>> load_nats(env::Env& env) {
  auto opened = env.open_library("libnats.so.3.4");
  if (!opened) return Error{"libnats.so.3.4 is not there: apt install libnats3.4"};
  const env::Library& library = *opened.value();
  auto out = std::make_shared<NatsLibrary>();
  Status bound = Unit{};
#define MUT_NATS_FUNCTION(name) \
  if (bound) bound = env::bind(library, #name, out->name);
#include "runtime/connector/nats/functions.def"
#undef MUT_NATS_FUNCTION
  if (!bound) return bound.error();
  return std::shared_ptr<const NatsLibrary>(std::move(out));
}

}  // namespace mut::connector
