#include "runtime/connector/websocket/listening.h"

#include <utility>

#include "runtime/connector/http/token.h"
#include "runtime/http/framed_socket.h"
#include "runtime/http/origin.h"
#include "runtime/http/websocket_url.h"

namespace mut::connector {

std::string WebSocketListening::text() const {
  return "websocket listen " + http::websocket_text(url) + text_of(files) +
         (token ? ", token " + token->text() : "");
}

Result<std::unique_ptr<env::SocketListener>> listen_by_websocket(env::Env& env,
                                                                 const WebSocketListening& listening,
                                                                 const std::string& about,
                                                                 const std::shared_ptr<Notices>& notices) {
  const http::Url& url = listening.url;
  auto gate = std::make_shared<TokenGate>(env, listening.token, [&env, about, notices](const Error& why) {
    notices->say_seldom("token", about + ": " + why.message, env.monotonic_ns());
  });
  Status read = gate->open();
  if (!read) return read.error();
  auto listener = listen_on(env, url.address, listening.files, about, notices);
  if (!listener) return listener.error();
  notices->say(about + " listens on " + listener.value()->address() + url.target +
               (url.is_encrypted() ? " by TLS" : ""));
  auto served = url.is_of_this_machine() ? http::Served::ThisMachine : http::Served::Others;
  auto refuse = [gate, served, path = url.target](const http::Request& request) {
    auto why = http::refuse_foreign(request, served);
    if (!why) why = gate->refuse(request);
    return why ? why : http::refuse_upgrade(request, path);
  };
  auto refused = [&env, about, notices](const Error& why) {
    notices->say_seldom("websocket", about + ": a connection was refused, " + why.message,
                        env.monotonic_ns());
  };
  return http::make_websocket_listener(env, std::move(listener).value(), std::move(refuse),
                                       std::move(refused));
}

}  // namespace mut::connector
