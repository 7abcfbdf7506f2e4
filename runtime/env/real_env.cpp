#include "runtime/env/real_env.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "runtime/env/real_files.h"
#include "runtime/env/real_paged_file.h"
#include "runtime/env/real_sampler.h"
#include "runtime/env/real_socket.h"
#include "runtime/env/real_sockets.h"
#include "runtime/env/real_tcp.h"

namespace mut::env {
namespace {

class RealEventCount final : public EventCount {
 public:
  uint64_t current() const noexcept override { return count_.load(std::memory_order_acquire); }

  void notify() noexcept override {
    count_.fetch_add(1, std::memory_order_seq_cst);
    // Whoever registers after this load reads the new count before sleeping.
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    std::lock_guard lock(mutex_);
    rung_.notify_all();
  }

  void wait(uint64_t seen, int64_t timeout_ns) override {
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    auto changed = [&] { return count_.load(std::memory_order_seq_cst) != seen; };
    if (timeout_ns < 0) {
      rung_.wait(lock, changed);
    } else {
      rung_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), changed);
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t> count_{0};
  std::atomic<uint32_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable rung_;
};

class RealThread final : public Thread {
 public:
  RealThread(std::string name, std::function<void()> body, ThreadPriority priority,
             const std::shared_ptr<ThreadRoll>& roll)
      : thread_([name = std::move(name), body = std::move(body), priority, roll] {
          ThreadRoll::Entry entry(roll, name.c_str());
          pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
          // Linux gives each thread its own niceness.
          if (priority == ThreadPriority::Lowest) {
            (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
          }
          body();
        }) {}
  ~RealThread() override { join(); }
  void join() override {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

int64_t read_clock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class RealLibrary final : public Library {
 public:
  RealLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  void* find(const char* function) const override { return dlsym(handle_, function); }
  const std::string& name() const override { return name_; }

 private:
  void* handle_;  // never closed: threads of a library may outlive what used it
  std::string name_;
};

Result<std::unique_ptr<Library>> load_library(const std::string& name) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return std::unique_ptr<Library>(new RealLibrary(handle, name));
  const char* why = dlerror();
  return Error{why != nullptr ? why : name + ": cannot be loaded"};
}

class RealEnv final : public Env {
 public:
  int64_t wall_ns() override { return read_clock(CLOCK_REALTIME); }
  int64_t monotonic_ns() override { return read_clock(CLOCK_MONOTONIC); }
  int64_t thread_cpu_ns() override { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
  void sleep(int64_t duration_ns) override {
    std::this_thread::sleep_for(std::chrono::nanoseconds(duration_ns));
  }

  Result<std::unique_ptr<InputFile>> open_input(const std::string& path) override {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return system_error(path);
    struct stat info;
    if (::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
      ::close(descriptor);
      return Error{path + ": is a directory"};
    }
    return make_input_file(descriptor, path, Ownership::Close);
  }

  Result<std::unique_ptr<OutputFile>> open_output(const std::string& path, OpenMode mode) override {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    if (mode == OpenMode::Replace) flags |= O_TRUNC;
    if (mode == OpenMode::Append) flags |= O_APPEND;
    if (mode == OpenMode::CreateNew) flags |= O_EXCL;
    int descriptor = ::open(path.c_str(), flags, 0644);
    if (descriptor < 0) return system_error(path);
    return make_output_file(descriptor, path, Ownership::Close);
  }

  std::unique_ptr<InputFile> standard_input() override {
    return make_input_file(STDIN_FILENO, "stdin", Ownership::Borrow);
  }
  std::unique_ptr<OutputFile> standard_output() override {
    return make_output_file(STDOUT_FILENO, "stdout", Ownership::Borrow);
  }
  std::unique_ptr<OutputFile> standard_error() override {
    return make_output_file(STDERR_FILENO, "stderr", Ownership::Borrow);
  }

  Result<FileIdentity> identify(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return system_error(path);
    return identity_of(info);
  }

  bool is_directory(const std::string& path) override {
    std::error_code code;
    return std::filesystem::is_directory(path, code);
  }

  Result<std::vector<std::string>> list_directory(const std::string& path) override {
    std::error_code code;
    std::vector<std::string> paths;
    std::filesystem::directory_iterator entries(path, code);
    for (; !code && entries != std::filesystem::directory_iterator(); entries.increment(code)) {
      std::error_code ignored;  // a file that vanished meanwhile is no file
      if (!entries->is_regular_file(ignored)) continue;
      if (entries->path().filename().native().starts_with('.')) continue;
      paths.push_back(entries->path().native());
    }
    if (code) return Error{path + ": " + code.message()};
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  Result<std::vector<std::string>> glob(const std::string& pattern) override {
    glob_t found{};
    int code = ::glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (code != 0 && code != GLOB_NOMATCH) return Error{pattern + ": cannot read a directory of the pattern"};
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  Status create_directories(const std::string& path) override {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) return Error{path + ": " + code.message()};
    return Unit{};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(from + " to " + to);
    return sync_directory_of(to);
  }

  Status sync_directory_of(const std::string& path) override {
    std::string directory = std::filesystem::path(path).parent_path().native();
    if (directory.empty()) directory = ".";
    int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_error(directory);
    int code = ::fsync(descriptor);
    ::close(descriptor);
    if (code != 0 && errno != EINVAL) return system_error(directory);
    return Unit{};
  }

  Status remove_file(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error(path);
    return Unit{};
  }

  Result<std::unique_ptr<SocketListener>> listen_local(const std::string& path) override {
    return listen_on_path(path);
  }
  Result<std::unique_ptr<SocketListener>> listen_tcp(const TcpAddress& address) override {
    return listen_on(address);
  }
  Result<std::unique_ptr<Socket>> connect_tcp(const TcpAddress& address, int64_t timeout_ns,
                                              const std::atomic<bool>& given_up) override {
    return connect_to(address, timeout_ns, given_up);
  }
  std::unique_ptr<SocketSet> make_socket_set() override { return make_real_socket_set(); }

  Result<std::unique_ptr<PagedFile>> open_paged_file(const std::string& directory,
                                                     size_t bytes_max) override {
    return open_real_paged_file(directory, bytes_max);
  }

  std::unique_ptr<EventCount> make_event_count() override { return std::make_unique<RealEventCount>(); }

  std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body,
                                       ThreadPriority priority) override {
    return std::make_unique<RealThread>(std::move(name), std::move(body), priority, roll_);
  }

  uint32_t processor_count() override { return std::max(1u, std::thread::hardware_concurrency()); }

  Result<std::shared_ptr<Sampler>> start_sampler() override { return roll_->start_sampler(); }

  Result<std::unique_ptr<Library>> open_library(const std::string& name) override {
    return load_library(name);
  }

  uint64_t random_seed() override {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<uint64_t>(monotonic_ns());
    return seed;
  }

  std::string variable(const char* name) override {
    const char* value = std::getenv(name);
    return value ? value : "";
  }

  void exit_process(int code) override { std::exit(code); }

  FailPoints& fail_points() override { return fail_points_; }

 private:
  FailPoints fail_points_;
  std::shared_ptr<ThreadRoll> roll_ = std::make_shared<ThreadRoll>();
};

}  // namespace

Result<std::unique_ptr<Env>> make_real_env() {
  auto env = std::make_unique<RealEnv>();
  Status status = env->fail_points().configure(env->variable("MUT_FAULT"));
  if (!status) return status.error();
  Status crash = env->fail_points().crash_at(env->variable("MUT_CRASH_AT"));
  if (!crash) return crash.error();
  return std::unique_ptr<Env>(std::move(env));
}

}  // namespace mut::env
