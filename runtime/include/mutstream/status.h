// How a running engine is, for who asks over HTTP: Prometheus, a service manager, a browser.
// docs/metrics.md has the pages.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "mutstream/engine.h"

namespace mut {

// How the pages are protected: paths of files, read anew for each connection and request.
struct StatusAccess {
  // Of PEM; both, and the port is encrypted (TLS 1.2 or 1.3). Empty: in the clear.
  std::string certificate;
  std::string certificate_key;
  // What stands in it has to be shown as `Authorization: Bearer …`, except to `/livez`. Empty: everybody may
  // ask.
  std::string token_file;
  // Told, once in thirty seconds, why a connection was refused before it could ask; by a thread of the
  // server.
  std::function<void(const std::string&)> refused;
};

// Serves `/metrics`, `/livez` and `/readyz` on a thread of its own, until it is destroyed: before the engine
// is. Asks the engine between two batches, ten times a second at most, and never waits for it for long.
class StatusServer {
 public:
  // "127.0.0.1:9464", "localhost", "[::1]:0"; without a port: 9464, and 0 is one that the system chooses.
  // An address that others than this machine reach needs all that StatusAccess has: without it is a Usage
  // failure, as is a build without HTTP. Answers from here on: it is not ready.
  static Outcome<std::unique_ptr<StatusServer>> listen(const std::string& address,
                                                       const StatusAccess& access = {});
  // Once; also before Engine::start().
  void serve(const Engine& engine);
  // "127.0.0.1:9464"
  const std::string& address() const;
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

 private:
  class State;
  explicit StatusServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mut
