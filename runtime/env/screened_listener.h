// A listener whose connections have something to agree on first, such as encryption. Who is silent, slow or
// wrong before that is never a connection: it takes no place among them and no thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/env/env.h"

namespace mut::env {

// One that has come, and what is said before it is a connection. Threads: one at a time.
class Entrance {
 public:
  enum class Agreed : uint8_t { Yes, NotYet };
  virtual ~Entrance() = default;
  // As far as it goes without waiting. Fails where there is no agreement; the other side is told.
  virtual Result<Agreed> move() = 0;
  // What has to be waited for of below(), before move() can do more.
  virtual Waited::Interest interest() const = 0;
  virtual Socket& below() const = 0;
  // After Yes.
  virtual std::unique_ptr<Socket> take() = 0;
};

struct Screening {
  std::function<std::unique_ptr<Entrance>(std::unique_ptr<Socket>)> begin;
  // So many at once; who comes then takes the place of the one that came first. How long each has,
  // nanoseconds.
  size_t entrances_max = 64;
  int64_t agree_ns = 10'000'000'000;
  // Told what became of one that was not taken, by who waits for the listener; may be empty.
  std::function<void(const Error&)> refused;
};

std::unique_ptr<SocketListener> make_screened_listener(Env& env, std::unique_ptr<SocketListener> below,
                                                       Screening screening);

}  // namespace mut::env
