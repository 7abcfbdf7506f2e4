// The source of whatever has a Subscription: messages become rows.
#pragma once
#include <memory>

#include "runtime/codec/decoder.h"
#include "runtime/connector/message/subscription.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Each message is a text of its own: it may hold several records, or an array of them; what follows its last
// whole record is a bad row, and so is one that is empty.
std::unique_ptr<SourceReader> make_message_source(env::Env& env, std::unique_ptr<Subscription> subscription,
                                                  codec::Format format, abi::TypeDescRef record,
                                                  const codec::DecodeOptions& options);

}  // namespace mut::connector
