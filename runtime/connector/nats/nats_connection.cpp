#include "runtime/connector/nats/nats_connection.h"

#include "runtime/connector/message/envelope.h"

namespace mut::connector {
namespace {

constexpr int64_t jetstream_wait_ms = line_wait_ns / 1'000'000;

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

Result<JetStreamPtr> open_jetstream(const NatsLibrary& nats, natsConnection& connection) {
  jsOptions options;
  (void)nats.jsOptions_Init(&options);
  options.Wait = jetstream_wait_ms;
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
