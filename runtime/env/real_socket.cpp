#include "runtime/env/real_socket.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
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

// Broken, whatever is wanted of it.
constexpr short broken_events = POLLERR | POLLHUP | POLLNVAL;

int64_t steady_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class RealSocketSet final : public SocketSet {
 public:
  void wait(std::span<Entry> entries, int64_t timeout_ns) override {
    polled_.clear();
    ends_.clear();
    polled_.push_back({bell_.number(), POLLIN, 0});
    for (Entry& entry : entries) {
      below_.clear();
      entry.waited->list_below(entry.interest, below_);
      for (const Waited::Below& each : below_) polled_.push_back({each.number, events_of(each.interest), 0});
      ends_.push_back(polled_.size());
      entry.ready = entry.waited->holds(entry.interest);
      if (entry.ready) timeout_ns = 0;
    }
    timeout_ns = until_due(entries, timeout_ns);
    int found = ::poll(polled_.data(), polled_.size(), poll_milliseconds(timeout_ns));
    if (found <= 0) std::for_each(polled_.begin(), polled_.end(), [](pollfd& each) { each.revents = 0; });
    if (polled_[0].revents != 0) bell_.silence();
    size_t next = 1;
    for (size_t i = 0; i < entries.size(); ++i) {
      int events = 0;
      for (; next < ends_[i]; ++next) events |= polled_[next].revents;
      look(entries[i], events);
    }
  }
  void ring() noexcept override { bell_.ring(); }

 private:
  static int64_t until_due(std::span<Entry> entries, int64_t timeout_ns) {
    int64_t now_ns = -1;
    for (const Entry& entry : entries) {
      int64_t due_ns = entry.waited->due_ns();
      if (due_ns < 0) continue;
      if (now_ns < 0) now_ns = steady_ns();
      int64_t left_ns = std::max<int64_t>(due_ns - now_ns, 0);
      timeout_ns = timeout_ns < 0 ? left_ns : std::min(timeout_ns, left_ns);
    }
    return timeout_ns;
  }

  static void look(Entry& entry, int events) {
    bool due = entry.waited->due_ns() >= 0 && entry.waited->due_ns() <= steady_ns();
    if (events == 0 && !due) return;
    bool there = entry.waited->advance(entry.interest);
    entry.ready = entry.ready || there || (events & broken_events) != 0;
  }

  std::vector<pollfd> polled_;
  std::vector<size_t> ends_;  // in polled_, of what each entry is waited for by
  std::vector<Waited::Below> below_;
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
