#include "runtime/env/real_files.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mut::env {

Error system_error(const std::string& what) {
  bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return {what + ": " + strerror(errno), full ? Error::Cause::NoSpace : Error::Cause::Other};
}

FileIdentity identity_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size), S_ISREG(info.st_mode)};
}

namespace {

class DescriptorInput final : public InputFile {
 public:
  DescriptorInput(int descriptor, std::string path, Ownership ownership)
      : descriptor_(descriptor), path_(std::move(path)), ownership_(ownership) {}
  ~DescriptorInput() override {
    if (ownership_ == Ownership::Close) ::close(descriptor_);
  }

  Result<size_t> read(char* to, size_t bytes) override {
    for (;;) {
      ssize_t got = ::read(descriptor_, to, bytes);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR && errno != EAGAIN) return system_error(path_);
      if (errno == EAGAIN) ready(100'000'000);
    }
  }

  bool ready(int64_t timeout_ns) override {
    pollfd entry{descriptor_, POLLIN, 0};
    int timeout_ms = static_cast<int>(std::clamp<int64_t>((timeout_ns + 999'999) / 1'000'000, 0, 1'000'000));
    return ::poll(&entry, 1, timeout_ms) > 0;
  }

  Result<FileIdentity> identity() override {
    struct stat info;
    if (::fstat(descriptor_, &info) != 0) return system_error(path_);
    return identity_of(info);
  }

  Status seek(uint64_t offset_bytes) override {
    if (::lseek(descriptor_, static_cast<off_t>(offset_bytes), SEEK_SET) < 0) return system_error(path_);
    return Unit{};
  }

 private:
  int descriptor_;
  std::string path_;
  Ownership ownership_;
};

class DescriptorOutput final : public OutputFile {
 public:
  DescriptorOutput(int descriptor, std::string path, Ownership ownership)
      : descriptor_(descriptor), path_(std::move(path)), ownership_(ownership) {}
  ~DescriptorOutput() override { (void)close(); }

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
      if (put < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return system_error(path_);
        // A terminal or pipe that the other side made non-blocking.
        pollfd entry{descriptor_, POLLOUT, 0};
        ::poll(&entry, 1, 1000);
        continue;
      }
      bytes.remove_prefix(static_cast<size_t>(put));
      written_bytes_ += static_cast<uint64_t>(put);
    }
    return Unit{};
  }
  uint64_t written_bytes() const override { return written_bytes_; }

  Status sync() override {
    // Pipes and terminals have nothing to sync.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return system_error(path_);
    return Unit{};
  }

  Status truncate(uint64_t size_bytes) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size_bytes)) != 0 && errno != EINVAL)
      return system_error(path_);
    return Unit{};
  }

  Status lock() override {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return Unit{};
    if (errno == EWOULDBLOCK) return Error{path_ + ": another run writes it"};
    return system_error(path_);
  }

  Status close() override {
    if (ownership_ == Ownership::Borrow || descriptor_ < 0) return Unit{};
    int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) return system_error(path_);
    return Unit{};
  }

 private:
  uint64_t written_bytes_ = 0;
  int descriptor_;
  std::string path_;
  Ownership ownership_;
};

}  // namespace

std::unique_ptr<InputFile> make_input_file(int descriptor, std::string path, Ownership ownership) {
  return std::make_unique<DescriptorInput>(descriptor, std::move(path), ownership);
}

std::unique_ptr<OutputFile> make_output_file(int descriptor, std::string path, Ownership ownership) {
  return std::make_unique<DescriptorOutput>(descriptor, std::move(path), ownership);
}

}  // namespace mut::env
