#include "runtime/connector/file/packing.h"

#include <utility>

namespace mut::connector {

std::unique_ptr<Packer> make_packer_of(const std::string& path) {
  if (path.ends_with(".gz")) return make_gzip_packer();
  if (path.ends_with(".zst")) return make_zstd_packer();
  return nullptr;
}

std::unique_ptr<ByteStream> unpacked(const std::string& path, std::unique_ptr<ByteStream> stream) {
  if (path.ends_with(".gz")) return make_gunzip_stream(std::move(stream));
  if (path.ends_with(".zst")) return make_unzstd_stream(std::move(stream));
  return stream;
}

}  // namespace mut::connector
