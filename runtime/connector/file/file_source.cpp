#include "runtime/connector/file/file_source.h"

#include <algorithm>
#include <atomic>

#include "runtime/connector/file/packing.h"
#include "runtime/connector/record_pump.h"

namespace mut::connector {
namespace {

// How long a followed file may have grown unnoticed, nanoseconds.
constexpr int64_t follow_interval_ns = 20'000'000;

// The bytes of an open file. At its end it says End, and may say Data again when the file has grown.
class FileStream final : public ByteStream {
 public:
  FileStream(env::Env& env, std::unique_ptr<env::InputFile> file) : env_(env), file_(std::move(file)) {}

  Result<StreamStep> read(char* to, size_t bytes) override {
    if (env_.fail_points().at("file.read") == env::Fault::Error)
      return Error{"injected failure of file.read"};
    auto got = file_->read(to, bytes);
    if (!got) return got.error();
    read_total_ += got.value();
    if (got.value() == 0) return StreamStep{StreamStep::State::End, 0};
    return StreamStep{StreamStep::State::Data, got.value()};
  }

  // From there on, in place of the begin.
  Status start_at(uint64_t offset_bytes) {
    read_total_ = offset_bytes;
    return file_->seek(offset_bytes);
  }
  env::InputFile& file() { return *file_; }
  uint64_t read_total() const { return read_total_; }

 private:
  env::Env& env_;
  std::unique_ptr<env::InputFile> file_;
  uint64_t read_total_ = 0;
};

// Turns the end of a followed file into Wait.
class FollowedStream final : public ByteStream {
 public:
  explicit FollowedStream(std::unique_ptr<ByteStream> inner) : inner_(std::move(inner)) {}
  Result<StreamStep> read(char* to, size_t bytes) override {
    auto step = inner_->read(to, bytes);
    if (step && step.value().state == StreamStep::State::End) return StreamStep{StreamStep::State::Wait, 0};
    return step;
  }

 private:
  std::unique_ptr<ByteStream> inner_;
};

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

class FileSource final : public SourceReader {
 public:
  FileSource(env::Env& env, const FileSourceOptions& options, abi::TypeDescRef record)
      : env_(env),
        options_(options),
        record_(record),
        pump_(codec::make_decoder(options.format, std::move(record), options.decode), options.threads) {}

  Status open() {
    Status listed = list_files();
    if (!listed) return listed;
    if (paths_.empty()) return Error{options_.path + ": no file fits"};
    return open_file(0);
  }

  Poll poll(batch::Batch& batch) override {
    for (;;) {
      if (stopped_.load(std::memory_order_relaxed) || !stream_) return Poll::End;
      batch.set_input_name(paths_[index_]);
      auto filled = pump_.fill(*stream_, env_.wall_ns(), batch);
      if (!filled) return fail(filled.error().within(paths_[index_]));
      if (filled.value() == Poll::Ready) {
        stand_at(pump_.place());
        return Poll::Ready;
      }
      if (filled.value() == Poll::Wait) {
        // A follower at the end of what is there. Whether another file comes is asked now.
        Result<bool> more = look_for_successor();
        if (!more) return fail(more.error());
        if (more.value()) continue;
        stand_at(pump_.place_here());
        return Poll::Wait;
      }
      Status next = open_next();
      if (!next) return fail(next.error());
    }
  }

  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    Status done = pump_.redeclare(record, time_field);
    if (done) record_ = std::move(record);
    return done;
  }
  codec::Decoder* decoder() override { return pump_.decoder(); }
  const Error& error() const override { return error_; }
  int64_t retry_after_ns() const override { return options_.follow ? follow_interval_ns : -1; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }
  bool replays() const override { return plain_ != nullptr && identity_.regular; }

  SourcePlace place() const override { return place_; }

  Status resume(const SourcePlace& place) override {
    if (place.input.empty()) return Unit{};  // nothing had come
    auto found = std::find(paths_.begin(), paths_.end(), place.input);
    if (found == paths_.end()) return Error{place.input + ": it is not among the files any more"};
    Status opened = open_file(static_cast<size_t>(found - paths_.begin()));
    if (!opened) return opened;
    Status there = place.offset > 0 ? go_to(place) : Status(Unit{});
    if (!there) return there.error().within(place.input);
    if (place.offset == 0) pump_.number_from(place.record);
    stand_at(place);
    return Unit{};
  }

 private:
  // In the file that is open.
  void stand_at(SourcePlace place) {
    place_ = std::move(place);
    place_.input = paths_[index_];
    place_.device = identity_.device;
    place_.inode = identity_.inode;
  }

  // The text of the file from there on; its begin has been read.
  Status go_to(const SourcePlace& place) {
    auto file = env_.open_input(paths_[index_]);
    if (!file) return file.error();
    auto plain = std::make_unique<FileStream>(env_, std::move(file).value());
    auto of = plain->file().identity();
    if (!of) return of.error();
    identity_ = of.value();
    if (make_packer_of(paths_[index_]) == nullptr) {
      if (identity_.size_bytes < place.offset) return Error{"it is shorter than what was read of it"};
      Status sought = plain->start_at(place.offset);
      if (!sought) return sought;
    }
    plain_ = plain.get();
    stream_ = unpacked(paths_[index_], std::move(plain));
    if (make_packer_of(paths_[index_]) != nullptr) {
      Status passed = pass(*stream_, place.offset);
      if (!passed) return passed;
    }
    if (options_.follow) stream_ = std::make_unique<FollowedStream>(std::move(stream_));
    pump_.go_to(place);
    return Unit{};
  }

  // Unpacks so many bytes for nothing.
  static Status pass(ByteStream& stream, uint64_t bytes) {
    std::vector<char> piece(read_bytes);
    while (bytes > 0) {
      auto step = stream.read(piece.data(), static_cast<size_t>(std::min<uint64_t>(bytes, piece.size())));
      if (!step) return step.error();
      if (step.value().state != StreamStep::State::Data)
        return Error{"it is shorter than what was read of it"};
      bytes -= step.value().bytes;
    }
    return Unit{};
  }

  Poll fail(Error error) {
    error_ = std::move(error);
    stream_ = nullptr;
    return Poll::Failed;
  }

  Status list_files() {
    paths_.clear();
    if (env_.is_directory(options_.path)) {
      auto listed = env_.list_directory(options_.path);
      if (!listed) return listed.error();
      paths_ = std::move(listed).value();
    } else if (is_pattern(options_.path)) {
      auto found = env_.glob(options_.path);
      if (!found) return found.error();
      paths_ = std::move(found).value();
    }
    // A file whose name looks like a pattern is that file.
    if (paths_.empty() && !env_.is_directory(options_.path) &&
        (!is_pattern(options_.path) || env_.identify(options_.path).ok())) {
      paths_.push_back(options_.path);
    }
    return Unit{};
  }

  Status open_file(size_t index) {
    index_ = index;
    finishing_ = false;
    const std::string& path = paths_[index];
    auto file = env_.open_input(path);
    if (!file) return file.error();
    auto plain = std::make_unique<FileStream>(env_, std::move(file).value());
    auto identity = plain->file().identity();
    identity_ = identity ? identity.value() : env::FileIdentity{};
    plain_ = plain.get();
    stream_ = unpacked(path, std::move(plain));
    if (options_.follow) stream_ = std::make_unique<FollowedStream>(std::move(stream_));
    pump_.start_input();
    Status fits = pump_.check_begin(*stream_, record_);
    if (!fits) return fits.error().within(path);
    return Unit{};
  }

  Status open_next() {
    if (reopen_) {
      reopen_ = false;
      return open_file(index_);
    }
    if (index_ + 1 < paths_.size()) return open_file(index_ + 1);
    stream_ = nullptr;
    return Unit{};
  }

  // True when the current file is to be finished because its name means another file now, it was cut, or
  // a file with a later name is there.
  Result<bool> look_for_successor() {
    const std::string current = paths_[index_];
    auto named = env_.identify(current);
    auto open = plain_->file().identity();
    if (!open) return open.error();
    if (named && (!named.value().same_file(open.value()) || open.value().size_bytes < plain_->read_total())) {
      bool cut = named.value().same_file(open.value());
      reopen_ = true;
      return finish_current(cut);
    }
    if (index_ + 1 == paths_.size() && current != options_.path) {
      Status listed = list_files();
      if (!listed) return listed.error();
      auto later = std::upper_bound(paths_.begin(), paths_.end(), current);
      index_ = static_cast<size_t>(later - paths_.begin());
      if (index_ > 0 && paths_[index_ - 1] == current) {
        --index_;
      } else {
        // The current file lost its name; it stays in the list until it is finished.
        paths_.insert(later, current);
      }
    }
    return index_ + 1 < paths_.size() && finish_current(false);
  }

  // What was written between our last read and the change of names still belongs to the old file, so it
  // is read to its end once more, unless it was cut.
  bool finish_current(bool at_once) {
    if (at_once || finishing_) pump_.end_input();
    finishing_ = !finishing_ && !at_once;
    return true;
  }

  env::Env& env_;
  FileSourceOptions options_;
  abi::TypeDescRef record_;
  RecordPump pump_;
  std::vector<std::string> paths_;
  size_t index_ = 0;  // of the file being read
  std::unique_ptr<ByteStream> stream_;
  FileStream* plain_ = nullptr;  // inside of stream_
  env::FileIdentity identity_;   // of the same, as it was opened
  SourcePlace place_;
  bool reopen_ = false;
  bool finishing_ = false;  // reading the current file once more, another one follows
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

Result<std::unique_ptr<SourceReader>> open_file_source(env::Env& env, const FileSourceOptions& options,
                                                       abi::TypeDescRef record) {
  auto source = std::make_unique<FileSource>(env, options, std::move(record));
  Status opened = source->open();
  if (!opened) return opened.error();
  return std::unique_ptr<SourceReader>(std::move(source));
}

}  // namespace mut::connector
