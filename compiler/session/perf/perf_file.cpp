#include "compiler/session/perf/perf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mut::session {
namespace {

// Ours alone: empty, and locked while it is written. Other engines of this process do not get the lock.
Result<int> open_locked(const std::string& path) {
  auto failed = [&](const std::string& why) { return Error{path + ": " + why}; };
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed(std::strerror(errno));
  struct stat found{};
  bool ours = ::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid();
  const char* problem = !ours                                   ? "is not a file of this user"
                        : ::flock(file, LOCK_EX | LOCK_NB) != 0 ? "another engine of this process writes it"
                        : ::ftruncate(file, 0) != 0             ? "cannot be written"
                                                                : nullptr;
  if (problem == nullptr) return file;
  ::close(file);
  return failed(problem);
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

class PerfMap final : public PerfFile {
 public:
  explicit PerfMap(int file) : file_(file) {}
  ~PerfMap() override { ::close(file_); }
  PerfMap(const PerfMap&) = delete;
  PerfMap& operator=(const PerfMap&) = delete;

  void add(const std::vector<NamedCode>& code) override {
    std::string lines;
    for (const NamedCode& piece : code)
      lines += fmt::format("{:x} {:x} {}\n", piece.begin, piece.end - piece.begin, piece.name);
    (void)write_all(file_, lines);
  }

 private:
  int file_;
};

#if defined(__x86_64__)
constexpr uint32_t machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t machine = EM_AARCH64;
#else
constexpr uint32_t machine = EM_NONE;
#endif

enum class RecordId : uint32_t { CodeLoad = 0, DebugInfo = 2, Close = 3 };

// By the clock of `perf record -k mono`.
uint64_t stamp() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class JitDump final : public PerfFile {
 public:
  JitDump(int file, void* mark, size_t mark_bytes) : file_(file), mark_(mark), mark_bytes_(mark_bytes) {
    std::string head;
    put<uint32_t>(head, 0x4A695444);  // "JiTD"
    put<uint32_t>(head, 1);           // version
    put<uint32_t>(head, 40);          // bytes of this
    put<uint32_t>(head, machine);
    put<uint32_t>(head, 0);
    put(head, static_cast<uint32_t>(::getpid()));
    put(head, stamp());
    put<uint64_t>(head, 0);  // flags
    fine_ = write_all(file_, head);
  }
  ~JitDump() override {
    write_record(RecordId::Close, {});
    ::munmap(mark_, mark_bytes_);
    ::close(file_);
  }
  JitDump(const JitDump&) = delete;
  JitDump& operator=(const JitDump&) = delete;

  void add(const std::vector<NamedCode>& code) override {
    for (const NamedCode& piece : code) {
      std::string lines;
      put<uint64_t>(lines, piece.begin);
      put<uint64_t>(lines, 1);
      put<uint64_t>(lines, piece.begin);
      put(lines, static_cast<int32_t>(piece.line));
      put<int32_t>(lines, 0);
      lines.append(piece.file.c_str(), piece.file.size() + 1);
      write_record(RecordId::DebugInfo, lines);  // before the code that it is about
      uint64_t size = piece.end - piece.begin;
      std::string load;
      put(load, static_cast<uint32_t>(::getpid()));
      put(load, static_cast<uint32_t>(::syscall(SYS_gettid)));
      put<uint64_t>(load, piece.begin);
      put<uint64_t>(load, piece.begin);
      put<uint64_t>(load, size);
      put<uint64_t>(load, ++pieces_);
      load.append(piece.name.c_str(), piece.name.size() + 1);
      load.append(reinterpret_cast<const char*>(piece.begin), size);
      write_record(RecordId::CodeLoad, load);
    }
  }

 private:
  void write_record(RecordId id, std::string_view body) {
    std::string record;
    put(record, static_cast<uint32_t>(id));
    put(record, static_cast<uint32_t>(16 + body.size()));
    put(record, stamp());
    record += body;
    // Half a record makes what follows unreadable.
    fine_ = fine_ && write_all(file_, record);
  }

  int file_;
  void* mark_;
  size_t mark_bytes_;
  uint64_t pieces_ = 0;
  bool fine_ = true;
};

}  // namespace

Result<std::unique_ptr<PerfFile>> open_perf_map() {
  auto file = open_locked(fmt::format("/tmp/perf-{}.map", ::getpid()));
  if (!file) return file.error();
  return std::unique_ptr<PerfFile>(std::make_unique<PerfMap>(file.value()));
}

Result<std::unique_ptr<PerfFile>> open_jitdump(const std::string& folder) {
  std::string path = fmt::format("{}/jit-{}.dump", folder.empty() ? "." : folder, ::getpid());
  auto file = open_locked(path);
  if (!file) return file.error();
  // perf finds the file by this mapping, which it sees among those of code.
  auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* mark = ::mmap(nullptr, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.value(), 0);
  if (mark == MAP_FAILED) {
    ::close(file.value());
    return Error{path + ": cannot be mapped as code, as perf wants it"};
  }
  return std::unique_ptr<PerfFile>(std::make_unique<JitDump>(file.value(), mark, page));
}

}  // namespace mut::session
