#include "runtime/env/real_sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/env/real_files.h"
#include "runtime/env/real_socket.h"

namespace mut::env {
namespace {

// The path is gone with it.
class PathListener final : public RealListener {
 public:
  PathListener(int descriptor, std::string path) : RealListener(descriptor, std::move(path)) {
    if (::stat(address().c_str(), &made_) != 0) made_ = {};
  }
  ~PathListener() override {
    struct stat now;
    // Another may have taken the path meanwhile.
    if (::stat(address().c_str(), &now) == 0 && now.st_ino == made_.st_ino && now.st_dev == made_.st_dev)
      ::unlink(address().c_str());
  }

 private:
  struct stat made_;
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
  return std::unique_ptr<SocketListener>(std::make_unique<PathListener>(descriptor, path));
}

}  // namespace mut::env
