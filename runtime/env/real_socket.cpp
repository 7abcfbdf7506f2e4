#include "runtime/env/real_socket.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <vector>

#include "runtime/env/real_files.h"

namespace mut::env {
namespace {

short events_of(Socket::Interest interest) {
  switch (interest) {
    case Socket::Interest::None:
      return 0;
    case Socket::Interest::Read:
      return POLLIN;
    case Socket::Interest::Write:
      return POLLOUT;
    case Socket::Interest::ReadOrWrite:
      return POLLIN | POLLOUT;
  }
  return 0;
}

class RealSocketSet final : public SocketSet {
 public:
  void wait(std::span<Entry> entries, int64_t timeout_ns) override {
    polled_.clear();
    polled_.push_back({bell_.number(), POLLIN, 0});
    for (const Entry& entry : entries)
      polled_.push_back({entry.waited->number(), events_of(entry.interest), 0});
    int found = ::poll(polled_.data(), polled_.size(), poll_milliseconds(timeout_ns));
    for (size_t i = 0; i < entries.size(); ++i) entries[i].ready = found > 0 && polled_[i + 1].revents != 0;
    if (found > 0 && polled_[0].revents != 0) bell_.silence();
  }
  void ring() noexcept override { bell_.ring(); }

 private:
  std::vector<pollfd> polled_;
  Bell bell_;
};

}  // namespace

int poll_milliseconds(int64_t timeout_ns) {
  if (timeout_ns < 0) return -1;
  return static_cast<int>(
      std::min<int64_t>((timeout_ns + 999'999) / 1'000'000, std::numeric_limits<int>::max()));
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Bell::Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Bell::ring() noexcept {
  uint64_t one = 1;
  (void)!::write(number(), &one, sizeof(one));
}

void Bell::silence() noexcept {
  uint64_t count;
  (void)!::read(number(), &count, sizeof(count));
}

Socket::Event RealSocket::wait(Interest interest, int64_t timeout_ns) {
  pollfd polled[2] = {{descriptor_.number(), events_of(interest), 0}, {bell_.number(), POLLIN, 0}};
  int found = ::poll(polled, 2, poll_milliseconds(timeout_ns));
  if (found <= 0) return Event::Timeout;  // a signal too: who waits asks again
  if (polled[1].revents != 0) bell_.silence();
  if (polled[0].revents != 0) return Event::Ready;
  return Event::Rung;
}

Result<int64_t> RealSocket::read(char* to, size_t bytes) {
  ssize_t got = ::recv(descriptor_.number(), to, bytes, MSG_DONTWAIT);
  if (got >= 0) return int64_t{got};
  if (errno == EAGAIN || errno == EINTR) return int64_t{-1};
  return system_error(name());
}

Result<size_t> RealSocket::write(std::string_view bytes) {
  if (bytes.empty()) return size_t{0};
  ssize_t sent = ::send(descriptor_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return size_t{0};
  return system_error(name());
}

uint64_t RealSocket::unconfirmed_bytes() const {
  int bytes = 0;
  if (::ioctl(descriptor_.number(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<uint64_t>(std::max(bytes, 0));
}

void RealSocket::finish_writing() noexcept { (void)::shutdown(descriptor_.number(), SHUT_WR); }

Result<std::unique_ptr<Socket>> RealListener::accept() {
  while (true) {
    pollfd polled[2] = {{descriptor_.number(), POLLIN, 0}, {bell_.number(), POLLIN, 0}};
    int found = ::poll(polled, 2, -1);
    if (found < 0 && errno != EINTR) return system_error(address_);
    if (polled[1].revents != 0) return std::unique_ptr<Socket>();
    if (found <= 0 || polled[0].revents == 0) continue;
    auto connected = accept_now();
    if (connected && connected.value()) return connected;
    // It was gone again; or descriptors are short, which passes.
    if (!connected) ::usleep(10'000);
  }
}

Result<std::unique_ptr<Socket>> RealListener::accept_now() {
  int connected = ::accept4(descriptor_.number(), nullptr, nullptr, SOCK_CLOEXEC);
  if (connected >= 0) return take(connected);
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
    return system_error(address_);
  return std::unique_ptr<Socket>();
}

std::unique_ptr<SocketSet> make_real_socket_set() { return std::make_unique<RealSocketSet>(); }

}  // namespace mut::env
