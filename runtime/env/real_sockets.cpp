#include "runtime/env/real_sockets.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "runtime/env/real_files.h"

namespace mut::env {
namespace {

// Closed by the destructor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// A descriptor that poll() sees, rung by any thread.
class Bell {
 public:
  Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  int number() const { return descriptor_.number(); }
  void ring() noexcept {
    uint64_t one = 1;
    (void)!::write(number(), &one, sizeof(one));
  }
  void silence() noexcept {
    uint64_t count;
    (void)!::read(number(), &count, sizeof(count));
  }

 private:
  Descriptor descriptor_;
};

class RealSocket final : public Socket {
 public:
  explicit RealSocket(int descriptor) : descriptor_(descriptor) {}

  Event wait(Interest interest, int64_t timeout_ns) override {
    short events = interest == Interest::Write  ? POLLOUT
                   : interest == Interest::Read ? POLLIN
                                                : POLLIN | POLLOUT;
    pollfd polled[2] = {{descriptor_.number(), events, 0}, {bell_.number(), POLLIN, 0}};
    int64_t milliseconds =
        std::min<int64_t>((timeout_ns + 999'999) / 1'000'000, std::numeric_limits<int>::max());
    int found = ::poll(polled, 2, timeout_ns < 0 ? -1 : static_cast<int>(milliseconds));
    if (found <= 0) return Event::Timeout;  // a signal too: who waits asks again
    if (polled[1].revents != 0) bell_.silence();
    if (polled[0].revents != 0) return Event::Ready;
    return Event::Rung;
  }

  void ring() noexcept override { bell_.ring(); }

  Result<int64_t> read(char* to, size_t bytes) override {
    ssize_t got = ::recv(descriptor_.number(), to, bytes, MSG_DONTWAIT);
    if (got >= 0) return int64_t{got};
    if (errno == EAGAIN || errno == EINTR) return int64_t{-1};
    return system_error("socket");
  }

  Result<size_t> write(std::string_view bytes) override {
    if (bytes.empty()) return size_t{0};
    ssize_t sent = ::send(descriptor_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return size_t{0};
    return system_error("socket");
  }

 private:
  Descriptor descriptor_;
  Bell bell_;
};

class RealListener final : public SocketListener {
 public:
  RealListener(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {
    if (::stat(path_.c_str(), &made_) != 0) made_ = {};
  }
  ~RealListener() override {
    struct stat now;
    // Another may have taken the path meanwhile.
    if (::stat(path_.c_str(), &now) == 0 && now.st_ino == made_.st_ino && now.st_dev == made_.st_dev)
      ::unlink(path_.c_str());
  }

  Result<std::unique_ptr<Socket>> accept() override {
    while (true) {
      pollfd polled[2] = {{descriptor_.number(), POLLIN, 0}, {bell_.number(), POLLIN, 0}};
      int found = ::poll(polled, 2, -1);
      if (found < 0 && errno != EINTR) return system_error(path_);
      if (polled[1].revents != 0) return std::unique_ptr<Socket>();
      if (found <= 0 || polled[0].revents == 0) continue;
      int connected = ::accept4(descriptor_.number(), nullptr, nullptr, SOCK_CLOEXEC);
      if (connected >= 0) return std::unique_ptr<Socket>(std::make_unique<RealSocket>(connected));
      // It was gone again; or descriptors are short, which passes.
      if (errno == EMFILE || errno == ENFILE) ::usleep(10'000);
    }
  }

  void ring() noexcept override { bell_.ring(); }

 private:
  Descriptor descriptor_;
  std::string path_;
  struct stat made_;
  Bell bell_;
};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return Error{path + ": the path of a socket has 1 to " + std::to_string(sizeof(address.sun_path) - 1) +
                 " bytes"};
  memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

bool connects(const sockaddr_un& address) {
  Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Result<std::unique_ptr<SocketListener>> listen_on_path(const std::string& path) {
  auto address = address_of(path);
  if (!address) return address.error();
  struct stat there;
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) return Error{path + ": is there already and is no socket"};
    if (connects(address.value())) return Error{path + ": another program listens there"};
    // Left behind by one that was killed.
    if (::unlink(path.c_str()) != 0) return system_error(path);
  }
  int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return system_error(path);
  // The mode holds from the first moment on: bind() makes the file by that of the descriptor.
  bool made =
      ::fchmod(descriptor, 0600) == 0 &&
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address.value()), sizeof(sockaddr_un)) == 0 &&
      ::chmod(path.c_str(), 0600) == 0 && ::listen(descriptor, SOMAXCONN) == 0;
  if (!made) {
    Error error = system_error(path);
    ::close(descriptor);
    return error;
  }
  return std::unique_ptr<SocketListener>(std::make_unique<RealListener>(descriptor, path));
}

}  // namespace mut::env
