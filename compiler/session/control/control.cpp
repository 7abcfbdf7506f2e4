#include "mutstream/control.h"

#include "compiler/session/control/operations.h"
#include "mutstream/json.h"
#include "runtime/control/line_server.h"
#include "runtime/env/real_env.h"

namespace mut {

class ControlDialog::State : public session::ControlOperations {
 public:
  using session::ControlOperations::ControlOperations;
};

ControlDialog::ControlDialog(Engine& engine, std::function<void()> ring)
    : state_(std::make_unique<State>(engine, std::move(ring), [] { return false; })) {}
ControlDialog::~ControlDialog() = default;
std::string ControlDialog::answer(std::string_view line) { return state_->answer(line); }
std::string ControlDialog::events(size_t bytes) { return state_->take_events(bytes); }

class ControlServer::State {
 public:
  std::unique_ptr<env::Env> env;
  std::unique_ptr<env::SocketListener> listener;  // until it is served
  std::unique_ptr<control::LineServer> server;    // goes first
};

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlServer::~ControlServer() = default;

Outcome<std::unique_ptr<ControlServer>> ControlServer::listen(const std::string& path) {
  auto state = std::make_unique<State>();
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  state->env = std::move(machine).value();
  auto listener = state->env->listen_local(path);
  if (!listener) return Failure{Failure::Kind::Io, listener.error().message};
  state->listener = std::move(listener).value();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

void ControlServer::serve(Engine& engine) {
  auto open = [&engine](std::function<void()> ring, std::function<bool()> over) {
    return std::make_unique<session::ControlOperations>(engine, std::move(ring), std::move(over));
  };
  state_->server = std::make_unique<control::LineServer>(*state_->env, std::move(state_->listener), open);
}

void ControlServer::end(Why why, std::string_view reason) {
  if (!state_->server) return;
  state_->server->end(
      "{\"v\":1,\"event\":\"over\",\"failed\":" + std::string(why == Why::Failed ? "true" : "false") +
      ",\"reason\":" + json_quoted(reason) + "}");
}

}  // namespace mut
