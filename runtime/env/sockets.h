// Sockets as an Env hands them out. Local ones are a path in the file system, for whoever may open it; those
// of TCP have a host and a port, and are for whoever reaches it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"

namespace mut::env {

// What a SocketSet can wait for.
class Waited {
 public:
  // None: until it breaks.
  enum class Interest : uint8_t { None, Read, Write, ReadOrWrite };
  virtual ~Waited() = default;
  // What the Env that made it knows it by.
  virtual int number() const = 0;

  // ---- of one that lies over others and changes what goes through, as encryption does
  struct Below {
    int number = -1;
    Interest interest = Interest::None;
  };
  // What is to be waited for, so that what is wanted comes.
  virtual void list_below(Interest wanted, std::vector<Below>& to) const { to.push_back({number(), wanted}); }
  // Whether it is here already, although nothing may come below any more.
  virtual bool holds(Interest) const { return false; }
  // When it has to be looked at although nothing comes, by the steady clock; negative: never.
  virtual int64_t due_ns() const { return -1; }
  // Something came below, or it is due: moves on with it, without waiting. Whether what is wanted is here.
  virtual bool advance(Interest) { return true; }
};

// A connection. One thread at a time, ring() apart.
class Socket : public Waited {
 public:
  enum class Event : uint8_t { Ready, Rung, Timeout };
  // Until read() or write() would do something, or somebody rings.
  virtual Event wait(Interest interest, int64_t timeout_ns) = 0;
  // Any thread: wait() returns, now or the next time.
  virtual void ring() noexcept = 0;
  // What there is, up to `bytes`; 0 at the end of the input, -1: nothing now.
  virtual Result<int64_t> read(char* to, size_t bytes) = 0;
  // As much as fits now: how many bytes; 0: nothing fits.
  virtual Result<size_t> write(std::string_view bytes) = 0;
  // How many of the bytes that were written the other machine has not said to have.
  virtual uint64_t unconfirmed_bytes() const = 0;
  // Nothing more is written; what was still goes out.
  virtual void finish_writing() noexcept = 0;
  // "127.0.0.1:40312"; empty of a local one.
  virtual const std::string& peer() const = 0;
};

class SocketListener : public Waited {
 public:
  // The next connection, or null after ring().
  virtual Result<std::unique_ptr<Socket>> accept() = 0;
  // The next connection if one is there, else null. Fails where descriptors are short, which passes.
  virtual Result<std::unique_ptr<Socket>> accept_now() = 0;
  virtual void ring() noexcept = 0;
  // Where it listens: the path, or "127.0.0.1:9000" with the port that the system chose.
  virtual const std::string& address() const = 0;
};

// Waits for several at once. One thread, ring() apart.
class SocketSet {
 public:
  virtual ~SocketSet() = default;
  struct Entry {
    Waited* waited = nullptr;
    Socket::Interest interest = Socket::Interest::Read;
    bool ready = false;
  };
  // Until one is ready or broken, which sets `ready`, until somebody rings, or for `timeout_ns`; negative:
  // without limit. May return sooner with none.
  virtual void wait(std::span<Entry> entries, int64_t timeout_ns) = 0;
  // Any thread: wait() returns, now or the next time.
  virtual void ring() noexcept = 0;
};

}  // namespace mut::env
