#include "runtime/connector/file/file_sink.h"

#include <mutex>
#include <optional>
#include <utility>

#include "runtime/codec/text/buffer.h"
#include "runtime/connector/file/packing.h"

namespace mut::connector {
namespace {

// Gathered before a write.
constexpr size_t write_bytes = 64 * 1024;
// Between two attempts to write to a disk that is full.
constexpr int64_t space_look_ns = 200'000'000;

class StreamSink final : public SinkWriter {
 public:
  // `path`: empty for standard output.
  StreamSink(env::Env& env, std::string path, std::shared_ptr<Notices> notices)
      : env_(env), path_(std::move(path)), notices_(std::move(notices)) {
    packer_ = make_packer_of(path_);
    flushed_ns_ = env_.monotonic_ns();
  }
  ~StreamSink() override { (void)close(); }

  Status hold() override {
    std::lock_guard lock(mutex_);
    Status opened = open();
    if (opened) ++holds_;
    return opened;
  }

  void release() override {
    std::lock_guard lock(mutex_);
    if (--holds_ > 0 || active_) return;
    file_ = nullptr;
    // A trial leaves nothing behind.
    if (made_ && !begun_ && bytes_before() == 0) (void)env_.remove_file(path_);
  }

  Status begin(SinkStart start) override {
    std::lock_guard lock(mutex_);
    Status opened = open();
    if (!opened) return opened;
    active_ = true;
    leaving_ = false;
    if (std::exchange(begun_, true) || path_.empty()) return Unit{};
    uint64_t before = start == SinkStart::Replace ? 0 : bytes_before();
    wants_header_ = before == 0;
    bytes_ = before;
    return start == SinkStart::Replace ? file_->truncate(0) : Status(Unit{});
  }

  // What is packed ends with a member: what is cut off begins with another one.
  Result<std::optional<SinkPlace>> place() override {
    std::lock_guard lock(mutex_);
    if (!begun_ || path_.empty() || !is_regular()) return std::optional<SinkPlace>();
    if (active_ && (wrote_ || !waiting_.empty() || !unwritten_.empty())) {
      Status done = put(packer_ ? PackFlush::Finish : PackFlush::Sync);
      if (!done) return done.error();
      if (!unwritten_.empty()) return Error{why_, Error::Cause::NoSpace};
      if (packer_) packer_ = make_packer_of(path_);
      wrote_ = false;
    }
    return std::optional<SinkPlace>({path_, "", bytes_});
  }

  Status resume(const SinkPlace& place) override {
    std::lock_guard lock(mutex_);
    auto found = env_.identify(path_);
    uint64_t there = found ? found.value().size_bytes : 0;
    if (there < place.bytes) {
      return Error{path_ + ": it has " + std::to_string(there) + " bytes, and at the checkpoint it had " +
                   std::to_string(place.bytes) + ": rows of it are gone"};
    }
    begun_ = true;
    bytes_ = place.bytes;
    wants_header_ = bytes_ == 0;
    return Unit{};
  }

  Status cut_back() override {
    std::lock_guard lock(mutex_);
    Status opened = open();
    if (!opened) return opened;
    Status cut = file_->truncate(bytes_);
    if (holds_ == 0 && !active_) file_ = nullptr;
    return cut;
  }

  AfterCrash after_crash() const override {
    std::lock_guard lock(mutex_);
    return !path_.empty() && is_regular() ? AfterCrash::CutsBack : AfterCrash::Stays;
  }

  Status write(std::string_view text) override {
    std::lock_guard lock(mutex_);
    waiting_.append(text);
    if (!unwritten_.empty()) return Unit{};
    if (waiting_.size() >= write_bytes || env_.monotonic_ns() - flushed_ns_ >= flush_interval_ns)
      return put(PackFlush::Sync);
    return Unit{};
  }

  Status flush() override {
    std::lock_guard lock(mutex_);
    Status done = put(PackFlush::Sync);
    return done && leaving_ && unwritten_.empty() ? finish() : done;
  }

  void hurry() override {
    std::lock_guard lock(mutex_);
    hurried_ns_ = env_.monotonic_ns();
  }

  void end_run(RunEnd) override {
    std::lock_guard lock(mutex_);
    run_ends_ = true;
  }

  Status close() override {
    std::lock_guard lock(mutex_);
    if (!active_) return Unit{};
    // Rows that wait for a disk are brought out by flush(), for an edit waits for nobody.
    if (!run_ends_) {
      Status put_all = put(PackFlush::Sync);
      if (!put_all) return put_all;
    }
    leaving_ = !unwritten_.empty() && !run_ends_;
    return leaving_ ? Status(Unit{}) : finish();
  }
  bool full() const override { return is_out_of_space(); }
  bool is_out_of_space() const override {
    std::lock_guard lock(mutex_);
    return !unwritten_.empty();
  }
  size_t waiting_bytes() const override {
    std::lock_guard lock(mutex_);
    return unwritten_.empty() ? 0 : unwritten_.size() + waiting_.size();
  }
  bool wants_header() const override { return wants_header_; }
  std::string notice() const override {
    std::lock_guard lock(mutex_);
    uint64_t bytes = begun_ || path_.empty() ? 0 : bytes_before();
    return bytes > 0 ? "replaces " + path_ + ", " + std::to_string(bytes) + " bytes" : "";
  }

 private:
  Status open() {
    if (file_) return Unit{};
    if (path_.empty()) {
      file_ = env_.standard_output();
      return Unit{};
    }
    made_ = !env_.identify(path_).ok();
    auto file = env_.open_output(path_, env::OpenMode::Append);
    if (!file) return file.error();
    file_ = std::move(file).value();
    return Unit{};
  }

  uint64_t bytes_before() const {
    auto found = env_.identify(path_);
    return found ? found.value().size_bytes : 0;
  }

  bool is_regular() const {
    auto found = env_.identify(path_);
    return found && found.value().regular;
  }

  Status put(PackFlush how) {
    if (!active_) return Error{"the sink is closed"};
    if (!unwritten_.empty()) {
      if (env_.monotonic_ns() - tried_ns_ < space_look_ns) return Unit{};
      std::string before = std::exchange(unwritten_, {});
      Status put_before = write_out(before);
      bool waited = hurried_ns_ && tried_ns_ - *hurried_ns_ >= drain_wait_ns;
      if (put_before && !unwritten_.empty() && waited) return give_up();
      if (!put_before || !unwritten_.empty()) return put_before;
      if (notices_) notices_->say(path_ + ": there is room again");
    }
    if (how != PackFlush::None) flushed_ns_ = env_.monotonic_ns();
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
    Status written = fault == env::Fault::Drop ? Status(Unit{}) : write_out(bytes);
    if (written && fault == env::Fault::Duplicate) written = write_out(bytes);
    waiting_.clear();
    return written;
  }

  Status finish() {
    leaving_ = false;
    Status put_all = put(PackFlush::Finish);
    for (int64_t begun_ns = env_.monotonic_ns(); put_all && !unwritten_.empty();) {
      env_.sleep(space_look_ns);
      if (env_.monotonic_ns() - begun_ns < drain_wait_ns) {
        put_all = put(PackFlush::Finish);
      } else {
        put_all = give_up();
      }
    }
    active_ = false;
    wrote_ = false;
    packer_ = make_packer_of(path_);  // what may follow is a member of its own
    if (holds_ > 0) return put_all;
    Status closed = file_->close();
    file_ = nullptr;
    return put_all ? closed : put_all;
  }

  // The run ends and there is no room: told once.
  Error give_up() {
    size_t bytes = std::exchange(unwritten_, {}).size() + waiting_.size();
    waiting_.clear();
    return Error{why_ + ": " + std::to_string(bytes) + " bytes of rows were not written"};
  }

  // What a full disk has no room for waits.
  Status write_out(std::string_view bytes) {
    uint64_t before = file_->written_bytes();
    Status written = file_->write(bytes);
    size_t part = written ? bytes.size() : file_->written_bytes() - before;
    bytes_ += part;
    wrote_ = wrote_ || part > 0;
    if (written || written.error().cause != Error::Cause::NoSpace || !is_regular()) return written;
    unwritten_ = bytes.substr(part);
    tried_ns_ = env_.monotonic_ns();
    why_ = written.error().message;
    if (part > 0 && hurried_ns_) hurried_ns_ = tried_ns_;
    if (notices_) notices_->say_seldom("space " + path_, why_ + "; rows wait until there is room", tried_ns_);
    return Unit{};
  }

  env::Env& env_;
  std::string path_;
  std::shared_ptr<Notices> notices_;  // or null
  mutable std::mutex mutex_;          // an edit that is prepared holds what the shard writes to
  std::unique_ptr<env::OutputFile> file_;
  uint64_t bytes_ = 0;  // of the output, as far as it was written
  bool wrote_ = false;  // since the last place()
  int holds_ = 0;
  bool active_ = false;   // between begin() and close()
  bool leaving_ = false;  // closed by an edit, with rows that wait for a disk
  bool run_ends_ = false;
  bool begun_ = false;  // by this run
  bool made_ = false;   // there was no such file when it was opened
  text::Buffer waiting_;
  std::string unwritten_;  // before that: the disk had no room for it
  std::string why_;        // it had none
  int64_t tried_ns_ = 0;
  std::optional<int64_t> hurried_ns_;  // since when the run ends
  text::Buffer packed_;
  std::unique_ptr<Packer> packer_;  // or null
  int64_t flushed_ns_ = 0;
  bool wants_header_ = true;
};

}  // namespace

std::unique_ptr<SinkWriter> make_file_sink(env::Env& env, std::string path,
                                           std::shared_ptr<Notices> notices) {
  return std::make_unique<StreamSink>(env, std::move(path), std::move(notices));
}

std::unique_ptr<SinkWriter> make_stdout_sink(env::Env& env) {
  return std::make_unique<StreamSink>(env, "", nullptr);
}

}  // namespace mut::connector
