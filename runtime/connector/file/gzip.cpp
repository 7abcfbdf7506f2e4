#include <zlib.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/connector/file/packing.h"

namespace mut::connector {
namespace {

constexpr int gzip_window = 15 + 16;  // the largest window, gzip framing
constexpr size_t packed_bytes = 64 * 1024;

Bytef* bytes_of(char* text) { return reinterpret_cast<Bytef*>(text); }

class GunzipStream final : public ByteStream {
 public:
  explicit GunzipStream(std::unique_ptr<ByteStream> packed)
      : packed_(std::move(packed)), input_(packed_bytes) {
    ready_ = inflateInit2(&zlib_, gzip_window) == Z_OK;
  }
  ~GunzipStream() override {
    if (ready_) inflateEnd(&zlib_);
  }

  Result<StreamStep> read(char* to, size_t bytes) override {
    if (!ready_) return Error{"out of memory for unpacking"};
    if (damaged_) return *damaged_;
    zlib_.next_out = bytes_of(to);
    zlib_.avail_out = static_cast<uInt>(bytes);
    while (zlib_.avail_out == bytes) {
      if (zlib_.avail_in == 0) {
        auto step = packed_->read(input_.data(), input_.size());
        if (!step) return step.error();
        if (step.value().state == StreamStep::State::End) {
          if (inside_member_) return Error{"the gzip data is cut off"};
          return step;
        }
        if (step.value().state == StreamStep::State::Wait) return step;
        zlib_.next_in = bytes_of(input_.data());
        zlib_.avail_in = static_cast<uInt>(step.value().bytes);
      }
      if (!inside_member_ && inflateReset(&zlib_) != Z_OK) return Error{"the gzip data is damaged"};
      inside_member_ = true;
      int code = inflate(&zlib_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        inside_member_ = false;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        // What was unpacked before it is whole.
        damaged_ =
            Error{std::string("the gzip data is damaged") + (zlib_.msg ? std::string(": ") + zlib_.msg : "")};
        if (zlib_.avail_out == bytes) return *damaged_;
      }
    }
    return StreamStep{StreamStep::State::Data, bytes - zlib_.avail_out};
  }

 private:
  std::unique_ptr<ByteStream> packed_;
  std::vector<char> input_;
  z_stream zlib_{};
  bool ready_ = false;
  bool inside_member_ = false;
  std::optional<Error> damaged_;
};

class GzipPacker final : public Packer {
 public:
  GzipPacker() {
    ready_ =
        deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipPacker() override {
    if (ready_) deflateEnd(&zlib_);
  }
  GzipPacker(const GzipPacker&) = delete;
  GzipPacker& operator=(const GzipPacker&) = delete;

  Status pack(std::string_view text, PackFlush flush, text::Buffer& out) override {
    if (!ready_) return Error{"out of memory for packing"};
    int how = flush == PackFlush::Finish ? Z_FINISH : flush == PackFlush::Sync ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    zlib_.avail_in = static_cast<uInt>(text.size());
    do {
      char* to = out.room(packed_bytes);
      zlib_.next_out = bytes_of(to);
      zlib_.avail_out = packed_bytes;
      if (deflate(&zlib_, how) == Z_STREAM_ERROR) return Error{"packing failed"};
      out.advance_to(to + (packed_bytes - zlib_.avail_out));
    } while (zlib_.avail_out == 0);
    return Unit{};
  }

 private:
  z_stream zlib_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> make_gunzip_stream(std::unique_ptr<ByteStream> packed) {
  return std::make_unique<GunzipStream>(std::move(packed));
}

std::unique_ptr<Packer> make_gzip_packer() { return std::make_unique<GzipPacker>(); }

}  // namespace mut::connector
