// libnats, loaded when a script names it.
#pragma once
#include <nats/nats.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

// What is called of it.
#define MUT_NATS_FUNCTIONS(each)                                                                             \
  each(nats_GetLastError) each(natsStatus_GetText) each(natsOptions_Create) each(natsOptions_Destroy) each(  \
      natsOptions_SetURL) each(natsOptions_SetName) each(natsOptions_SetTimeout)                             \
      each(natsOptions_SetAllowReconnect) each(natsOptions_SetPingInterval) each(                            \
          natsOptions_SetMaxPingsOut) each(natsOptions_SetWriteDeadline) each(natsOptions_SetErrorHandler)   \
          each(natsConnection_Connect) each(natsConnection_IsClosed) each(natsConnection_GetLastError) each( \
              natsConnection_GetMaxPayload) each(natsConnection_Publish) each(natsConnection_SubscribeSync)  \
              each(natsConnection_QueueSubscribeSync) each(natsConnection_FlushTimeout)                      \
                  each(natsConnection_Destroy) each(natsSubscription_NextMsg) each(natsSubscription_Drain)   \
                      each(natsSubscription_SetPendingLimits) each(natsSubscription_GetDropped)              \
                          each(natsSubscription_Destroy) each(natsMsg_GetData) each(natsMsg_GetDataLength)   \
                              each(natsMsg_GetReply) each(natsMsgHeader_Get) each(natsMsg_Destroy)           \
                                  each(natsInbox_Create) each(natsInbox_Destroy)                             \
                                      each(natsConnection_JetStream) each(jsCtx_Destroy)                     \
                                          each(jsOptions_Init) each(natsMsg_Create) each(natsMsgHeader_Set)  \
                                              each(natsConnection_PublishMsg) each(js_GetStreamInfo)         \
                                                  each(jsStreamInfo_Destroy) each(jsConsumerConfig_Init)     \
                                                      each(js_AddConsumer) each(js_GetConsumerInfo)          \
                                                          each(jsConsumerInfo_Destroy)

struct NatsLibrary {
#define MUT_NATS_MEMBER(function) decltype(&::function) function = nullptr;
  MUT_NATS_FUNCTIONS(MUT_NATS_MEMBER)
#undef MUT_NATS_MEMBER
};

// Fails where it is not installed.
Result<std::shared_ptr<const NatsLibrary>> load_nats(env::Env& env);

}  // namespace mut::connector
