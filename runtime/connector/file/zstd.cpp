#include <zstd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/file/packing.h"

namespace mut::connector {
namespace {

constexpr size_t packed_bytes = 64 * 1024;

class UnzstdStream final : public ByteStream {
 public:
  explicit UnzstdStream(std::unique_ptr<ByteStream> packed)
      : packed_(std::move(packed)), input_(packed_bytes), context_(ZSTD_createDCtx()) {}
  ~UnzstdStream() override { ZSTD_freeDCtx(context_); }
  UnzstdStream(const UnzstdStream&) = delete;
  UnzstdStream& operator=(const UnzstdStream&) = delete;

  Result<StreamStep> read(char* to, size_t bytes) override {
    if (context_ == nullptr) return Error{"out of memory for unpacking"};
    if (damaged_) return *damaged_;
    ZSTD_outBuffer out{to, bytes, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !holds_text_) {
        auto step = packed_->read(input_.data(), input_.size());
        if (!step) return step.error();
        if (step.value().state == StreamStep::State::End && inside_frame_)
          return Error{"the zstd data is cut off"};
        if (step.value().state != StreamStep::State::Data) return step;
        in_ = {input_.data(), step.value().bytes, 0};
      }
      size_t read_before = in_.pos;
      size_t code = ZSTD_decompressStream(context_, &out, &in_);
      if (ZSTD_isError(code) != 0) {
        // What was unpacked before it is whole.
        damaged_ = Error{std::string("the zstd data is damaged: ") + ZSTD_getErrorName(code)};
        if (out.pos == 0) return *damaged_;
        break;
      }
      if (in_.pos != read_before || out.pos > 0) inside_frame_ = code != 0;
      holds_text_ = out.pos == out.size;
    }
    return StreamStep{StreamStep::State::Data, out.pos};
  }

 private:
  std::unique_ptr<ByteStream> packed_;
  std::vector<char> input_;
  ZSTD_DCtx* context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool inside_frame_ = false;
  bool holds_text_ = false;  // that did not fit the last time
  std::optional<Error> damaged_;
};

class ZstdPacker final : public Packer {
 public:
  ZstdPacker() : context_(ZSTD_createCCtx()) {}
  ~ZstdPacker() override { ZSTD_freeCCtx(context_); }
  ZstdPacker(const ZstdPacker&) = delete;
  ZstdPacker& operator=(const ZstdPacker&) = delete;

  Status pack(std::string_view text, PackFlush flush, text::Buffer& out) override {
    if (context_ == nullptr) return Error{"out of memory for packing"};
    ZSTD_EndDirective how = flush == PackFlush::Finish ? ZSTD_e_end
                            : flush == PackFlush::Sync ? ZSTD_e_flush
                                                       : ZSTD_e_continue;
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    size_t left = 1;
    while (left > 0) {
      char* to = out.room(packed_bytes);
      ZSTD_outBuffer packed{to, packed_bytes, 0};
      left = ZSTD_compressStream2(context_, &packed, &in, how);
      if (ZSTD_isError(left) != 0) return Error{std::string("packing failed: ") + ZSTD_getErrorName(left)};
      out.advance_to(to + packed.pos);
      if (how == ZSTD_e_continue) left = in.size - in.pos;
    }
    return Unit{};
  }

 private:
  ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<ByteStream> make_unzstd_stream(std::unique_ptr<ByteStream> packed) {
  return std::make_unique<UnzstdStream>(std::move(packed));
}

std::unique_ptr<Packer> make_zstd_packer() { return std::make_unique<ZstdPacker>(); }

}  // namespace mut::connector
