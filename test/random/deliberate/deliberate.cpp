#include "runtime/abi/deliberate.h"

#include <cstdlib>
#include <cstring>

namespace mut::abi {

bool is_deliberate(const char* fault) {
  const char* name = getenv("MUT_ENGINE_FAULT");
  return name != nullptr && strcmp(name, fault) == 0;
}

}  // namespace mut::abi
