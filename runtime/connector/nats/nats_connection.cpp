#include "runtime/connector/nats/nats_connection.h"

#include "runtime/connector/message/envelope.h"

namespace mut::connector {
namespace {

// Milliseconds.
constexpr int64_t connect_wait_ms = line_wait_ns / 1'000'000;
// A server that stands still is one that is lost.
constexpr int64_t ping_every_ms = 10'000;
constexpr int pings_unanswered_max = 2;
constexpr int64_t write_wait_ms = 5'000;

// The library's own prints.
void say_nothing(natsConnection*, natsSubscription*, natsStatus, void*) {}

// Passwords are read each time: they may have been changed.
Status introduce(env::Env& env, const NatsLibrary& nats, const NatsTarget& target, natsOptions& options) {
  const std::optional<Secret>& secret = target.token ? target.token : target.password;
  if (!secret) return Unit{};
  auto text = secret->read(env);
  if (!text) return text.error();
  const char* word = text.value().c_str();
  natsStatus status = target.token ? nats.natsOptions_SetToken(&options, word)
                                   : nats.natsOptions_SetUserInfo(&options, target.user.c_str(), word);
  return status == NATS_OK ? Status(Unit{}) : Status(Error{nats.natsStatus_GetText(status)});
}

}  // namespace

Error nats_error(const NatsLibrary& nats, natsStatus status, const std::string& tried, jsErrCode code) {
  std::string out = tried + ": " + nats.natsStatus_GetText(status);
  natsStatus of = NATS_OK;
  const char* more = nats.nats_GetLastError(&of);
  if (more != nullptr && of == status && *more != '\0' && out.find(more) == std::string::npos)
    out += std::string(" (") + more + ")";
  if (code != 0) out += ", code " + std::to_string(static_cast<int>(code));
  return {out};
}

std::string text_of(const NatsLibrary& nats, natsMsg& message, NatsTarget::Record record) {
  std::string_view payload(nats.natsMsg_GetData(&message),
                           static_cast<size_t>(nats.natsMsg_GetDataLength(&message)));
  if (record == NatsTarget::Record::Payload) return std::string(payload);
  return in_envelope("subject", nats.natsMsg_GetSubject(&message), payload);
}

void close_nats(const NatsLibrary& nats, const NatsConnectionPtr& connection) noexcept {
  if (connection) nats.natsConnection_Close(connection.get());
}

Error nats_lost(const NatsLibrary& nats, natsConnection& connection) {
  const char* why = nullptr;
  natsStatus status = nats.natsConnection_GetLastError(&connection, &why);
  std::string text = why != nullptr && *why != '\0' ? why
                     : status != NATS_OK            ? nats.natsStatus_GetText(status)
                                                    : "the server has closed it";
  return {"the connection is lost: " + text};
}

Result<NatsConnectionPtr> connect_nats(env::Env& env, const NatsLibrary& nats, const NatsTarget& target) {
  natsOptions* made = nullptr;
  if (natsStatus status = nats.natsOptions_Create(&made); status != NATS_OK)
    return nats_error(nats, status, "libnats");
  std::unique_ptr<natsOptions, NatsGone<&NatsLibrary::natsOptions_Destroy>> options(made, {&nats});
  std::string url = "nats://" + target.server.text();
  (void)nats.natsOptions_SetURL(made, url.c_str());
  (void)nats.natsOptions_SetName(made, "mutstream");
  (void)nats.natsOptions_SetTimeout(made, connect_wait_ms);
  (void)nats.natsOptions_SetAllowReconnect(made, false);
  (void)nats.natsOptions_SetPingInterval(made, ping_every_ms);
  (void)nats.natsOptions_SetMaxPingsOut(made, pings_unanswered_max);
  (void)nats.natsOptions_SetWriteDeadline(made, write_wait_ms);
  (void)nats.natsOptions_SetErrorHandler(made, say_nothing, nullptr);
  Status known = introduce(env, nats, target, *made);
  if (!known) return known.error();
  natsConnection* connection = nullptr;
  natsStatus status = nats.natsConnection_Connect(&connection, made);
  if (status == NATS_OK) return NatsConnectionPtr(connection, {&nats});
  if (status == NATS_NO_SERVER) return Error{"no server takes connections there"};
  if (status == NATS_CONNECTION_AUTH_FAILED)
    return Error{"the server lets nobody in without the right user and password or token"};
  return nats_error(nats, status, "it cannot be connected to");
}

Result<JetStreamPtr> open_jetstream(const NatsLibrary& nats, natsConnection& connection) {
  jsOptions options;
  (void)nats.jsOptions_Init(&options);
  options.Wait = connect_wait_ms;
  jsCtx* made = nullptr;
  natsStatus status = nats.natsConnection_JetStream(&made, &connection, &options);
  if (status != NATS_OK) return nats_error(nats, status, "JetStream");
  return JetStreamPtr(made, {&nats});
}

Result<StreamInfoPtr> stream_info(const NatsLibrary& nats, jsCtx& jetstream, const std::string& stream) {
  jsStreamInfo* found = nullptr;
  jsErrCode code = {};
  natsStatus status = nats.js_GetStreamInfo(&found, &jetstream, stream.c_str(), nullptr, &code);
  if (status == NATS_OK) return StreamInfoPtr(found, {&nats});
  if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr)
    return Error{"there is no stream `" + stream + "`"};
  if (status == NATS_NO_RESPONDERS || code == JSNotEnabledErr || code == JSNotEnabledForAccountErr)
    return Error{"this server keeps no streams: JetStream is off"};
  return nats_error(nats, status, "stream `" + stream + "`", code);
}

}  // namespace mut::connector
