#include "runtime/env/real_paged_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "runtime/env/real_files.h"
#include "runtime/env/real_socket.h"

namespace mut::env {
namespace {

// Of an entry of /proc/self/pagemap: the page is mapped. Whoever may read the file is told, root or not.
constexpr uint64_t page_present = uint64_t{1} << 63;

class RealPagedFile final : public PagedFile {
 public:
  RealPagedFile(int file, int pagemap, char* begin, size_t bytes, std::string directory)
      : file_(file), pagemap_(pagemap), begin_(begin), bytes_(bytes), directory_(std::move(directory)) {}
  ~RealPagedFile() override { ::munmap(begin_, bytes_); }

  char* begin() const override { return begin_; }
  size_t bytes_max() const override { return bytes_; }
  size_t page_bytes() const override { return page_; }

  Status reserve(size_t from, size_t bytes) override {
    int code = 0;
    do {
      code = ::fallocate(file_.number(), 0, static_cast<off_t>(from), static_cast<off_t>(bytes)) == 0 ? 0
                                                                                                      : errno;
    } while (code == EINTR);
    errno = code;
    if (code != 0) return system_error(directory_);
    return Unit{};
  }

  void page_out(size_t from, size_t bytes) override {
    // The system writes it when it thinks fit, and keeps it in its own cache while there is room.
    (void)::madvise(begin_ + from, bytes, MADV_DONTNEED);
  }

  size_t resident_bytes(size_t from, size_t bytes) override {
    if (pagemap_.number() < 0) return bytes;
    std::array<uint64_t, 512> entries;
    size_t first = (reinterpret_cast<uintptr_t>(begin_) + from) / page_;
    size_t left = bytes / page_;
    size_t present = 0;
    while (left > 0) {
      size_t asked = std::min(left, entries.size());
      ssize_t got = ::pread(pagemap_.number(), entries.data(), asked * sizeof(uint64_t),
                            static_cast<off_t>(first * sizeof(uint64_t)));
      if (got < static_cast<ssize_t>(asked * sizeof(uint64_t))) return bytes;
      for (size_t i = 0; i < asked; ++i) present += (entries[i] & page_present) != 0 ? 1 : 0;
      first += asked;
      left -= asked;
    }
    return present * page_;
  }

 private:
  Descriptor file_;
  Descriptor pagemap_;
  char* begin_;
  size_t bytes_;
  std::string directory_;
  const size_t page_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
};

// A file that no name leads to.
int open_nameless(const std::string& directory) {
  int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = directory + "/mut-state-XXXXXX";
  file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

}  // namespace

Result<std::unique_ptr<PagedFile>> open_real_paged_file(const std::string& directory, size_t bytes_max) {
  int number = open_nameless(directory);
  if (number < 0) return system_error(directory);
  Descriptor file(number);
  void* begin = ::mmap(nullptr, bytes_max, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, number, 0);
  if (begin == MAP_FAILED)
    return system_error(directory + ": addresses for a file of " + std::to_string(bytes_max) + " bytes");
  // Rows that are looked at are next to none that will be: what lies around them is not read as well.
  (void)::madvise(begin, bytes_max, MADV_RANDOM);
  // Without it all counts as in memory, and is taken out again and again.
  int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  return std::unique_ptr<PagedFile>(std::make_unique<RealPagedFile>(
      file.release(), pagemap, static_cast<char*>(begin), bytes_max, directory));
}

}  // namespace mut::env
