// Control of a running engine in lines of JSON: docs/control.md has the operations. The same for clients of a
// local socket and within the process.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mutstream/engine.h"

namespace mut {

// A dialogue within the process. One thread at a time; it may not be the one that runs the engine. The engine
// outlives it.
class ControlDialog {
 public:
  // `ring`: from any thread: events() has something.
  ControlDialog(Engine& engine, std::function<void()> ring);
  ~ControlDialog();
  ControlDialog(const ControlDialog&) = delete;
  ControlDialog& operator=(const ControlDialog&) = delete;
  // The reply to one request, without its end.
  std::string answer(std::string_view line);
  // Lines that come by themselves, each with its end; about `bytes` at most.
  std::string events(size_t bytes);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Serves clients of a socket on threads of its own, until it is destroyed: before the engine is.
class ControlServer {
 public:
  // The path is a socket for the user alone (mode 0600). One that a dead program left is replaced; where
  // somebody listens, or something else lies, it fails. Clients wait until serve().
  static Outcome<std::unique_ptr<ControlServer>> listen(const std::string& path);
  // Once, after Engine::start().
  void serve(Engine& engine);
  // The program ends: tells each client why, as the event `over`, and cuts it off. Once. Not Failed: by
  // itself, or because it was told to.
  enum class Why : uint8_t { Ended, Failed };
  void end(Why why, std::string_view reason);
  // Cuts all clients off without a word.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mut
