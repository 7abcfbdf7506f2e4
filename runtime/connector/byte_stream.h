// Bytes of a source before they are decoded.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/abi/result.h"

namespace mut::connector {

struct StreamStep {
  enum class State : uint8_t { Data, End, Wait } state = State::Data;
  size_t bytes = 0;  // Data only, at least 1
};

// One thread at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual Result<StreamStep> read(char* to, size_t bytes) = 0;
};

}  // namespace mut::connector
