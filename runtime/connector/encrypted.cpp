#include "runtime/connector/encrypted.h"

#include <utility>

#include "runtime/tls/connect.h"
#include "runtime/tls/listen.h"

namespace mut::connector {

Result<std::unique_ptr<env::Socket>> connect_to(env::Env& env, const env::TcpAddress& address, const Tls& tls,
                                                int64_t timeout_ns, const std::atomic<bool>& given_up) {
  int64_t until_ns = env.monotonic_ns() + timeout_ns;
  auto connected = env.connect_tcp(address, timeout_ns, given_up);
  if (!connected || tls.check == Tls::Check::Off) return connected;
  tls::Files files{tls.certificate, tls.certificate_key, tls.authorities};
  auto encrypted = tls::encrypt(env, std::move(connected).value(), address.host, files, until_ns, given_up);
  if (!encrypted) return encrypted.error().within(address.text());
  return encrypted;
}

Result<std::unique_ptr<env::SocketListener>> listen_on(env::Env& env, const env::TcpAddress& address,
                                                       const tls::Files& files, const std::string& about,
                                                       const std::shared_ptr<Notices>& notices) {
  auto listener = env.listen_tcp(address);
  if (!listener || files.certificate.empty()) return listener;
  tls::Listening listening{files};
  listening.refused = [&env, about, notices](const Error& why) {
    notices->say_seldom("tls", about + ": a connection was refused, " + why.message, env.monotonic_ns());
  };
  return tls::encrypt(env, std::move(listener).value(), std::move(listening));
}

std::string text_of(const tls::Files& files) {
  if (files.certificate.empty()) return "";
  return ", tls " + files.certificate + (files.authorities.empty() ? "" : " of " + files.authorities);
}

}  // namespace mut::connector
