// Local sockets as an Env hands them out: a path in the file system, for whoever may open it.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::env {

// A connection. One thread at a time, ring() apart.
class Socket {
 public:
  virtual ~Socket() = default;
  enum class Interest : uint8_t { Read, Write, ReadOrWrite };
  enum class Event : uint8_t { Ready, Rung, Timeout };
  // Until read() or write() would do something, or somebody rings.
  virtual Event wait(Interest interest, int64_t timeout_ns) = 0;
  // Any thread: wait() returns, now or the next time.
  virtual void ring() noexcept = 0;
  // What there is, up to `bytes`; 0 at the end of the input, -1: nothing now.
  virtual Result<int64_t> read(char* to, size_t bytes) = 0;
  // As much as fits now: how many bytes; 0: nothing fits.
  virtual Result<size_t> write(std::string_view bytes) = 0;
};

class SocketListener {
 public:
  // The path is gone then.
  virtual ~SocketListener() = default;
  // The next connection, or null after ring().
  virtual Result<std::unique_ptr<Socket>> accept() = 0;
  virtual void ring() noexcept = 0;
};

}  // namespace mut::env
