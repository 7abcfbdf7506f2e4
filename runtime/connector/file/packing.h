// gzip and zstd, both ways, over bytes in memory. Their libraries never touch files here: those belong to
// Env.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"
#include "runtime/codec/text/buffer.h"
#include "runtime/connector/byte_stream.h"

namespace mut::connector {

enum class PackFlush : uint8_t { None, Sync, Finish };

// One thread at a time.
class Packer {
 public:
  virtual ~Packer() = default;
  // Appends the packed bytes that are ready to `out`. Sync: everything so far can be unpacked from them.
  // Nothing follows Finish.
  virtual Status pack(std::string_view text, PackFlush flush, text::Buffer& out) = 0;
};

std::unique_ptr<Packer> make_gzip_packer();
std::unique_ptr<Packer> make_zstd_packer();
// Unpack what `packed` delivers; several members one after another are one text, as their programs do it.
std::unique_ptr<ByteStream> make_gunzip_stream(std::unique_ptr<ByteStream> packed);
std::unique_ptr<ByteStream> make_unzstd_stream(std::unique_ptr<ByteStream> packed);

// By the ending of the path, `.gz` or `.zst`; null where it has neither.
std::unique_ptr<Packer> make_packer_of(const std::string& path);
// The same; `stream` itself where it has neither.
std::unique_ptr<ByteStream> unpacked(const std::string& path, std::unique_ptr<ByteStream> stream);

}  // namespace mut::connector
