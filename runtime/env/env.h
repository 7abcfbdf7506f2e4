// The border to the machine: clock, files, threads, randomness, exit. Nothing else in runtime/ touches
// these (test/env-border), so that a seeded simulator can own them.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/env/event_count.h"
#include "runtime/env/fail_points.h"
#include "runtime/env/files.h"
#include "runtime/env/library.h"
#include "runtime/env/paged_file.h"
#include "runtime/env/sockets.h"
#include "runtime/env/tcp_address.h"

namespace mut::env {

class Thread {
 public:
  // Joins.
  virtual ~Thread() = default;
  virtual void join() = 0;
};

class Sampler;

enum class ThreadPriority : uint8_t { Normal, Lowest };

// Threads: any, all methods. Outlives everything that was made from it.
class Env {
 public:
  virtual ~Env() = default;

  // Nanoseconds since the epoch, UTC; may jump.
  virtual int64_t wall_ns() = 0;
  // Nanoseconds since some moment; never goes back.
  virtual int64_t monotonic_ns() = 0;
  // What the calling thread has spent of a processor.
  virtual int64_t thread_cpu_ns() = 0;
  virtual void sleep(int64_t duration_ns) = 0;

  virtual Result<std::unique_ptr<InputFile>> open_input(const std::string& path) = 0;
  virtual Result<std::unique_ptr<OutputFile>> open_output(const std::string& path, OpenMode mode) = 0;
  virtual std::unique_ptr<InputFile> standard_input() = 0;
  virtual std::unique_ptr<OutputFile> standard_output() = 0;
  virtual std::unique_ptr<OutputFile> standard_error() = 0;
  // Of what the path names now.
  virtual Result<FileIdentity> identify(const std::string& path) = 0;
  virtual bool is_directory(const std::string& path) = 0;
  // Plain files of a directory, full paths in byte order; not recursive, names with a leading dot left out.
  virtual Result<std::vector<std::string>> list_directory(const std::string& path) = 0;
  // Paths that fit a pattern with `*`, `?`, `[…]`, in byte order; empty when none does.
  virtual Result<std::vector<std::string>> glob(const std::string& pattern) = 0;
  virtual Status create_directories(const std::string& path) = 0;
  // Atomic, and durable once it returns.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // A new name in a directory is durable once this returns.
  virtual Status sync_directory_of(const std::string& path) = 0;
  virtual Status remove_file(const std::string& path) = 0;

  // Of at most that many bytes, in a directory.
  virtual Result<std::unique_ptr<PagedFile>> open_paged_file(const std::string& directory,
                                                             size_t bytes_max) = 0;

  // For the user alone. A socket that a dead program left there is replaced; anything else fails.
  virtual Result<std::unique_ptr<SocketListener>> listen_local(const std::string& path) = 0;
  // Fails where the port is taken. Whoever reaches the address may connect.
  virtual Result<std::unique_ptr<SocketListener>> listen_tcp(const TcpAddress& address) = 0;
  // All addresses of the host in turn, so long in all; fails soon once `given_up`. To look up a name may take
  // longer, and is not given up.
  virtual Result<std::unique_ptr<Socket>> connect_tcp(const TcpAddress& address, int64_t timeout_ns,
                                                      const std::atomic<bool>& given_up) = 0;
  virtual std::unique_ptr<SocketSet> make_socket_set() = 0;

  virtual std::unique_ptr<EventCount> make_event_count() = 0;
  // `name` is what debuggers show, cut to 15 bytes.
  virtual std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body,
                                               ThreadPriority priority = ThreadPriority::Normal) = 0;
  virtual uint32_t processor_count() = 0;
  // Looks at the threads that were started here, from now on, until it is destroyed: sampler.h.
  virtual Result<std::shared_ptr<Sampler>> start_sampler() = 0;

  // "libpq.so.5", where the system looks for libraries.
  virtual Result<std::unique_ptr<Library>> open_library(const std::string& name) = 0;

  virtual uint64_t random_seed() = 0;
  // Empty when not set.
  virtual std::string variable(const char* name) = 0;
  [[noreturn]] virtual void exit_process(int code) = 0;

  virtual FailPoints& fail_points() = 0;
};

}  // namespace mut::env
