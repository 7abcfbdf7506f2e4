// What sockets of all kinds have in common. Private to the folder.
#pragma once
#include <string>
#include <utility>

#include "runtime/env/sockets.h"

namespace mut::env {

// Closed by the destructor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  // Whose it is from here on.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

// A descriptor that poll() sees, rung by any thread.
class Bell {
 public:
  Bell();
  int number() const { return descriptor_.number(); }
  void ring() noexcept;
  void silence() noexcept;

 private:
  Descriptor descriptor_;
};

class RealSocket final : public Socket {
 public:
  // `peer`: empty of a local one.
  RealSocket(int descriptor, std::string peer) : descriptor_(descriptor), peer_(std::move(peer)) {}
  int number() const override { return descriptor_.number(); }
  Event wait(Interest interest, int64_t timeout_ns) override;
  void ring() noexcept override { bell_.ring(); }
  Result<int64_t> read(char* to, size_t bytes) override;
  Result<size_t> write(std::string_view bytes) override;
  uint64_t unconfirmed_bytes() const override;
  void finish_writing() noexcept override;
  const std::string& peer() const override { return peer_; }

 private:
  std::string name() const { return peer_.empty() ? "socket" : peer_; }
  Descriptor descriptor_;
  std::string peer_;
  Bell bell_;
};

class RealListener : public SocketListener {
 public:
  // `descriptor` does not block.
  RealListener(int descriptor, std::string address) : descriptor_(descriptor), address_(std::move(address)) {}
  int number() const override { return descriptor_.number(); }
  Result<std::unique_ptr<Socket>> accept() override;
  Result<std::unique_ptr<Socket>> accept_now() override;
  void ring() noexcept override { bell_.ring(); }
  const std::string& address() const override { return address_; }

 private:
  virtual std::unique_ptr<Socket> take(int connected) const {
    return std::make_unique<RealSocket>(connected, "");
  }
  Descriptor descriptor_;
  std::string address_;
  Bell bell_;
};

std::unique_ptr<SocketSet> make_real_socket_set();

// Milliseconds as poll() takes them, not less than asked for.
int poll_milliseconds(int64_t timeout_ns);

}  // namespace mut::env
