// gzip, both ways, over bytes in memory. zlib never touches files here: those belong to Env.
#pragma once
#include <memory>
#include <string_view>

#include "runtime/abi/result.h"
#include "runtime/codec/text/buffer.h"
#include "runtime/connector/byte_stream.h"

namespace mut::connector {

// Unpacks what `packed` delivers; several members one after another are one text, as gzip does it.
std::unique_ptr<ByteStream> make_gunzip_stream(std::unique_ptr<ByteStream> packed);

enum class GzipFlush : uint8_t { None, Sync, Finish };

// One thread at a time.
class GzipPacker {
 public:
  GzipPacker();
  ~GzipPacker();
  GzipPacker(const GzipPacker&) = delete;
  GzipPacker& operator=(const GzipPacker&) = delete;

  // Appends the packed bytes that are ready to `out`. Sync: everything so far can be unpacked from them.
  Status pack(std::string_view text, GzipFlush flush, text::Buffer& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mut::connector
