#include "runtime/env/real_tcp.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/env/real_socket.h"

namespace mut::env {
namespace {

// How soon who tries to connect notices that it is to give up.
constexpr int64_t look_ns = 20'000'000;
// Of a connection that says nothing: seconds until the other machine is asked, between two questions, and how
// many stay without an answer.
constexpr int probe_after_s = 30;
constexpr int probe_every_s = 10;
constexpr int probes_max = 3;

struct Found {
  explicit Found(addrinfo* of) : first(of) {}
  ~Found() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
  Found(const Found&) = delete;
  Found& operator=(const Found&) = delete;
  addrinfo* first;
};

enum class Use : uint8_t { Connect, Listen };

// Null, and `problem` says why, where the host has no address.
addrinfo* look_up(const TcpAddress& address, Use use, Error& problem) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (use == Use::Listen ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  std::string port = std::to_string(address.port);
  int code = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (code == 0 && found != nullptr) return found;
  problem = {address.text() + ": the host `" + address.host + "` cannot be found (" + ::gai_strerror(code) +
             "); check how it is written, or write its address"};
  return nullptr;
}

std::string text_of(const sockaddr_storage& address, socklen_t bytes) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  int code = ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), bytes, host, sizeof(host), port,
                           sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  if (code != 0) return "?";
  bool six = address.ss_family == AF_INET6;
  return (six ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

std::string peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof(address);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return "?";
  return text_of(address, bytes);
}

std::string own_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof(address);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return "?";
  return text_of(address, bytes);
}

void set(int descriptor, int level, int option, int value) {
  (void)::setsockopt(descriptor, level, option, &value, sizeof(value));
}

// Who writes gathers by itself; who is gone without a word is noticed.
void prepare(int descriptor) {
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, probe_after_s);
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, probe_every_s);
  set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, probes_max);
}

int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// 0 once it is connected, else why it is not.
int finish_connecting(int descriptor, int64_t until_ns, const std::atomic<bool>& given_up) {
  while (true) {
    int64_t left_ns = until_ns - now_ns();
    if (given_up.load()) return ECANCELED;
    if (left_ns <= 0) return ETIMEDOUT;
    pollfd polled{descriptor, POLLOUT, 0};
    if (::poll(&polled, 1, poll_milliseconds(std::min(left_ns, look_ns))) <= 0) continue;
    int code = 0;
    socklen_t bytes = sizeof(code);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &bytes) != 0) return errno;
    // Where nobody listens, a port that the system hands out may meet itself.
    if (code == 0 && own_of(descriptor) == peer_of(descriptor)) return ECONNREFUSED;
    return code;
  }
}

Error cannot_connect(const TcpAddress& address, int code) {
  std::string what = address.text() + ": " + ::strerror(code);
  if (code == ECONNREFUSED) what += "; nobody listens there: start the other program first";
  if (code == ETIMEDOUT) what += "; nothing answers: is the machine up, and does a firewall let this pass?";
  if (code == ENETUNREACH || code == EHOSTUNREACH) what += "; check the network and the address";
  return {what};
}

Error cannot_listen(const TcpAddress& address, int code) {
  std::string what = address.text() + ": " + ::strerror(code);
  if (code == EADDRINUSE)
    what += "; another program listens there: end it, or take another port (0: the system chooses one)";
  if (code == EADDRNOTAVAIL) what += "; this machine has no such address: 0.0.0.0 or [::] stands for all";
  if (code == EACCES) what += "; ports below 1024 are for who has the right: take a larger one";
  return {what};
}

class TcpListener final : public RealListener {
 public:
  using RealListener::RealListener;

 private:
  std::unique_ptr<Socket> take(int connected) const override {
    prepare(connected);
    return std::make_unique<RealSocket>(connected, peer_of(connected));
  }
};

}  // namespace

Result<std::unique_ptr<Socket>> connect_to(const TcpAddress& address, int64_t timeout_ns,
                                           const std::atomic<bool>& given_up) {
  Error problem;
  Found found(look_up(address, Use::Connect, problem));
  if (found.first == nullptr) return problem;
  int64_t until_ns = now_ns() + timeout_ns;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next) {
    Descriptor made(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int code = made.number() < 0 ? errno : 0;
    if (code == 0 && ::connect(made.number(), one->ai_addr, one->ai_addrlen) != 0) code = errno;
    if (code == EINPROGRESS || code == 0) code = finish_connecting(made.number(), until_ns, given_up);
    if (code == 0) {
      prepare(made.number());
      std::string peer = peer_of(made.number());
      return std::unique_ptr<Socket>(std::make_unique<RealSocket>(made.release(), std::move(peer)));
    }
    problem = cannot_connect(address, code);
    if (code == ECANCELED) break;
  }
  return problem;
}

Result<std::unique_ptr<SocketListener>> listen_on(const TcpAddress& address) {
  Error problem;
  Found found(look_up(address, Use::Listen, problem));
  if (found.first == nullptr) return problem;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next) {
    Descriptor made(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.number() >= 0) {
      // The port can be taken again at once when a run has ended.
      set(made.number(), SOL_SOCKET, SO_REUSEADDR, 1);
      if (::bind(made.number(), one->ai_addr, one->ai_addrlen) == 0 &&
          ::listen(made.number(), SOMAXCONN) == 0) {
        std::string own = own_of(made.number());
        return std::unique_ptr<SocketListener>(std::make_unique<TcpListener>(made.release(), std::move(own)));
      }
    }
    problem = cannot_listen(address, errno);
  }
  return problem;
}

}  // namespace mut::env
