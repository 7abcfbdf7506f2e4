#include "runtime/connector/file/file_sink.h"

#include <optional>

#include "runtime/codec/text/buffer.h"
#include "runtime/connector/file/gzip.h"

namespace mut::connector {
namespace {

// Gathered before a write.
constexpr size_t write_bytes = 64 * 1024;

class StreamSink final : public SinkWriter {
 public:
  StreamSink(env::Env& env, std::unique_ptr<env::OutputFile> file, bool packed, bool wants_header,
             std::string notice)
      : env_(env), file_(std::move(file)), wants_header_(wants_header), notice_(std::move(notice)) {
    if (packed) packer_.emplace();
    flushed_ns_ = env_.monotonic_ns();
  }
  ~StreamSink() override { (void)close(); }

  Status write(std::string_view text) override {
    waiting_.append(text);
    if (waiting_.size() >= write_bytes || env_.monotonic_ns() - flushed_ns_ >= flush_interval_ns)
      return flush();
    return Unit{};
  }

  Status flush() override { return put(GzipFlush::Sync); }

  Status close() override {
    if (!file_) return Unit{};
    Status put_all = put(GzipFlush::Finish);
    Status closed = file_->close();
    file_ = nullptr;
    return put_all ? closed : put_all;
  }

  bool wants_header() const override { return wants_header_; }
  std::string notice() const override { return notice_; }

 private:
  Status put(GzipFlush how) {
    if (!file_) return Error{"the sink is closed"};
    if (how != GzipFlush::None) flushed_ns_ = env_.monotonic_ns();
    if (waiting_.empty() && !packer_) return Unit{};
    env::Fault fault = env_.fail_points().at("file.write");
    if (fault == env::Fault::Error) return Error{"injected failure of file.write"};
    std::string_view bytes = waiting_.view();
    if (packer_) {
      packed_.clear();
      Status packed = packer_->pack(bytes, how, packed_);
      if (!packed) return packed;
      bytes = packed_.view();
    }
    Status written = fault == env::Fault::Drop ? Status(Unit{}) : file_->write(bytes);
    if (written && fault == env::Fault::Duplicate) written = file_->write(bytes);
    waiting_.clear();
    return written;
  }

  env::Env& env_;
  std::unique_ptr<env::OutputFile> file_;
  text::Buffer waiting_;
  text::Buffer packed_;
  std::optional<GzipPacker> packer_;
  int64_t flushed_ns_ = 0;
  bool wants_header_;
  std::string notice_;
};

}  // namespace

Result<std::unique_ptr<SinkWriter>> open_file_sink(env::Env& env, const FileSinkOptions& options) {
  auto before = env.identify(options.path);
  uint64_t bytes_before = before ? before.value().size_bytes : 0;
  std::string notice;
  if (!options.append && bytes_before > 0) {
    notice = "replaces " + options.path + ", " + std::to_string(bytes_before) + " bytes";
  }
  auto file = env.open_output(options.path, options.append ? env::OpenMode::Append : env::OpenMode::Replace);
  if (!file) return file.error();
  bool wants_header = !options.append || bytes_before == 0;
  return std::unique_ptr<SinkWriter>(std::make_unique<StreamSink>(
      env, std::move(file).value(), options.path.ends_with(".gz"), wants_header, std::move(notice)));
}

std::unique_ptr<SinkWriter> make_stream_sink(env::Env& env, std::unique_ptr<env::OutputFile> file) {
  return std::make_unique<StreamSink>(env, std::move(file), false, true, "");
}

}  // namespace mut::connector
