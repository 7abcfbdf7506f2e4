// A connection to a NATS server, and what it says when something is wrong.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/connector/nats/nats.h"
#include "runtime/connector/nats/nats_library.h"

namespace mut::connector {

template <auto NatsLibrary::* destroy>
struct NatsGone {
  const NatsLibrary* library = nullptr;
  template <typename Thing>
  void operator()(Thing* thing) const {
    (library->*destroy)(thing);
  }
};
using NatsConnectionPtr = std::unique_ptr<natsConnection, NatsGone<&NatsLibrary::natsConnection_Destroy>>;
using NatsSubscriptionPtr =
    std::unique_ptr<natsSubscription, NatsGone<&NatsLibrary::natsSubscription_Destroy>>;
using NatsMessagePtr = std::unique_ptr<natsMsg, NatsGone<&NatsLibrary::natsMsg_Destroy>>;
using NatsInboxPtr = std::unique_ptr<natsInbox, NatsGone<&NatsLibrary::natsInbox_Destroy>>;
using JetStreamPtr = std::unique_ptr<jsCtx, NatsGone<&NatsLibrary::jsCtx_Destroy>>;
using StreamInfoPtr = std::unique_ptr<jsStreamInfo, NatsGone<&NatsLibrary::jsStreamInfo_Destroy>>;
using ConsumerInfoPtr = std::unique_ptr<jsConsumerInfo, NatsGone<&NatsLibrary::jsConsumerInfo_Destroy>>;

// What the library says of it, behind what was tried; `code` of JetStream, 0: none.
Error nats_error(const NatsLibrary& nats, natsStatus status, const std::string& tried, jsErrCode code = {});

Result<JetStreamPtr> open_jetstream(const NatsLibrary& nats, natsConnection& connection);
// Also says whether there is one of that name.
Result<StreamInfoPtr> stream_info(const NatsLibrary& nats, jsCtx& jetstream, const std::string& stream);
// What a message gives to decode.
std::string text_of(const NatsLibrary& nats, natsMsg& message, NatsTarget::Record record);
// Before what was subscribed to goes: the library may else read a message for what is not there any more.
void close_nats(const NatsLibrary& nats, const NatsConnectionPtr& connection) noexcept;
// Why it is closed.
Error nats_lost(const NatsLibrary& nats, natsConnection& connection);

}  // namespace mut::connector
